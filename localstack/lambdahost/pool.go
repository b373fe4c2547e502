package lambdahost

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"latchkey/shared/operation"
)

const initTimeout = 10 * time.Second

// A pool holds the processes of one function.
//
// A slot is held by whoever holds a process. A process is only started by
// somebody with a slot, while none is idle; so there are never more than slots.
type pool struct {
	host  *Host
	op    operation.Operation
	slots chan struct{}

	mu   sync.Mutex
	idle []*worker // the last used one last
}

func newPool(host *Host, op operation.Operation, maxProcesses int) *pool {
	return &pool{host: host, op: op, slots: make(chan struct{}, maxProcesses)}
}

// acquire waits for a process and gives it to the caller.
func (p *pool) acquire(ctx context.Context) (*worker, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	w, err := p.take()
	if err != nil {
		<-p.slots
	}
	return w, err
}

// take gives the caller, who has a slot, an idle process or a new one. The one
// that was used last comes first, so that the others can become too idle.
func (p *pool) take() (*worker, error) {
	p.mu.Lock()
	if last := len(p.idle) - 1; last >= 0 {
		w := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		w.idle.Stop()
		return w, nil
	}
	p.mu.Unlock()
	return p.host.startWorker(p)
}

// release gives a process back.
func (p *pool) release(w *worker) {
	p.mu.Lock()
	w.used = true
	w.idle = time.AfterFunc(p.host.config.Idle, func() { p.retire(w) })
	p.idle = append(p.idle, w)
	p.mu.Unlock()
	<-p.slots
}

// retire ends a process if it is still idle.
func (p *pool) retire(w *worker) {
	if p.forget(w) {
		w.process.Kill()
	}
}

// forget takes a process out of the idle ones and reports whether it was one.
func (p *pool) forget(w *worker) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	i := slices.Index(p.idle, w)
	if i < 0 {
		return false
	}
	w.idle.Stop()
	p.idle = slices.Delete(p.idle, i, i+1)
	return true
}

// run gives an event to a process that the caller has acquired, and gives the
// process back. When a process is known to have ended before the event was handed
// over, another one can have it. A process whose end nobody has noticed yet may be
// handed the event: that is a crash, since giving the event to another one would
// risk that both have worked on it.
func (p *pool) run(ctx context.Context, w *worker, inv *invocation) outcome {
	for {
		out, seen := p.attempt(w, inv)
		if seen || !w.used {
			return out
		}
		next, err := p.acquire(ctx)
		if err != nil {
			return outcome{err: fmt.Errorf("%s: %w", p.op.Name, err)}
		}
		w = next
	}
}

// attempt reports whether the process may have seen the event.
func (p *pool) attempt(w *worker, inv *invocation) (out outcome, seen bool) {
	init := time.NewTimer(initTimeout)
	defer init.Stop()
	select {
	case w.deliver <- inv:
		return p.await(w, inv), true
	case <-w.process.Done():
		return p.crashed(w, inv), false
	case <-init.C:
		return p.timedOut(w, inv, initTimeout), true
	}
}

func (p *pool) await(w *worker, inv *invocation) outcome {
	timeout := time.NewTimer(p.op.Timeout)
	defer timeout.Stop()
	select {
	case out := <-inv.outcome:
		p.release(w)
		return out
	case <-w.process.Done():
		select {
		case out := <-inv.outcome:
			<-p.slots
			return out
		default:
			return p.crashed(w, inv)
		}
	case <-timeout.C:
		return p.timedOut(w, inv, p.op.Timeout)
	}
}

func (p *pool) crashed(w *worker, inv *invocation) outcome {
	<-p.slots
	if payload := w.initError(); payload != nil {
		return outcome{err: &FunctionError{Payload: payload}}
	}
	reason := "Runtime exited without providing a reason"
	if err := w.process.Err(); err != nil {
		reason = fmt.Sprintf("Runtime exited with error: %v", err)
	}
	return outcome{err: newFunctionError("Runtime.ExitError", inv.id, reason)}
}

func (p *pool) timedOut(w *worker, inv *invocation, after time.Duration) outcome {
	p.host.log.printf("function %s: killed after %v", p.op.Name, after)
	w.process.Kill()
	<-p.slots
	reason := fmt.Sprintf("Task timed out after %.2f seconds", after.Seconds())
	return outcome{err: newFunctionError("Sandbox.Timedout", inv.id, reason)}
}
