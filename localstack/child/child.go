// Package child starts processes that do not outlive this one, whatever ends
// it: a clean exit, a crash, or a signal that it cannot handle.
//
// Each child leads a process group of its own, so that a Ctrl-C in the terminal
// reaches only this process, which then ends its children in its own order, and
// so that a child's own children end with it.
//
// On Linux the kernel kills a child when its parent dies. That signal follows
// the thread that started the child, not the process, so a goroutine stays
// locked to that thread until the child has ended. Elsewhere a watchdog, a shell
// that waits for the end of a pipe that only this process holds open, kills the
// group.
package child

import (
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// How long a child's output may stay open after its end: someone who inherited
// it must not keep Wait waiting.
const outputDelay = time.Second

// A Process is a running or ended child.
type Process struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Start starts cmd, which must not have been started. Nobody else may wait for
// it or set its SysProcAttr.
func Start(cmd *exec.Cmd) (*Process, error) {
	p := &Process{cmd: cmd, done: make(chan struct{})}
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	p.cmd.WaitDelay = outputDelay
	release, err := startTied(p.cmd)
	started <- err
	if err != nil {
		return
	}
	p.err = p.cmd.Wait()
	release()
	close(p.done)
}

// PID is the process id.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// Done is closed when the process has ended and its output has been copied.
func (p *Process) Done() <-chan struct{} { return p.done }

// Err tells how the process ended, nil for exit status 0. It may be called when
// Done is closed.
func (p *Process) Err() error { return p.err }

// Kill ends the process and its group at once and waits for the end.
func (p *Process) Kill() {
	p.signal(syscall.SIGKILL)
	<-p.done
}

// Stop asks the process to end, and kills it when it has not after grace.
func (p *Process) Stop(grace time.Duration) {
	p.signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(grace):
		p.Kill()
	}
}

func (p *Process) signal(signal syscall.Signal) {
	select {
	case <-p.done:
	default:
		// The only error is that the group has just ended.
		_ = syscall.Kill(-p.PID(), signal)
	}
}
