//go:build !linux || watchdog

package child

import (
	"os/exec"
	"strconv"
	"syscall"
)

// The watchdog's script; $0 is the group to kill when the pipe ends.
const watchdog = `read -r line; kill -s KILL -- "-$0"`

// startTied starts cmd and a watchdog over it. The build tag "watchdog" chooses
// this way on Linux too, so that it is tested there.
func startTied(cmd *exec.Cmd) (release func(), err error) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	dog := exec.Command("/bin/sh", "-c", watchdog, strconv.Itoa(cmd.Process.Pid))
	dog.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	// The pipe's other end closes with this process.
	leash, err := dog.StdinPipe()
	if err == nil {
		err = dog.Start()
	}
	if err != nil {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		return nil, err
	}
	return func() {
		_ = dog.Process.Kill()
		_ = leash.Close()
		_ = dog.Wait()
	}, nil
}
