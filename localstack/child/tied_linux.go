//go:build linux && !watchdog

package child

import (
	"os/exec"
	"syscall"
)

// startTied starts cmd so that the kernel kills it when the calling thread ends.
func startTied(cmd *exec.Cmd) (release func(), err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	return func() {}, cmd.Start()
}
