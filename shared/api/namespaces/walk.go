package namespaces

import (
	"context"

	"latchkey/shared/apikey"
	"latchkey/shared/fault"
)

// A bounds says how much of a list one request reads at most, so that its time, its
// memory and its cost have a limit. Reading an entry costs one, if not more.
type bounds struct {
	entries string // what is read, in words
	all     int    // to sort, count, group or pass over
	page    int    // for a page of what a filter lets through
	chunk   int    // at once
	part    int    // of a chunk whose entries have to be completed
}

// A walker reads a list part by part, until it ends or a budget is spent.
type walker struct {
	reader  reader
	partial bool // whether entries are to be completed, as many at once as fit
	budget  int

	chunk chunk
	done  int             // entries of the chunk
	after *apikey.Locator // the place behind which the list goes on; nil at its end
	begun bool
}

func (l lister) walker(after *apikey.Locator, budget int) walker {
	return walker{reader: l.reader, partial: !l.reader.isComplete(l.deciding()), budget: budget, after: after}
}

func (w *walker) goesOn() bool { return !w.begun || w.after != nil && w.budget > 0 }

// next gives the entries of the next part, perhaps none.
func (w *walker) next(ctx context.Context) ([]entry, error) {
	if w.done == len(w.chunk.entries) {
		if err := w.read(ctx); err != nil {
			return nil, err
		}
	}
	rest := w.chunk.entries[w.done:]
	count := len(rest)
	if w.partial {
		var err error
		if count, err = w.reader.complete(ctx, rest); err != nil {
			return nil, err
		}
		if count < len(rest) {
			w.budget -= w.reader.bounds().part
		}
	}
	w.done += count
	w.after = w.chunk.behind(w.done - 1)
	return rest[:count], nil
}

func (w *walker) read(ctx context.Context) error {
	limit := w.reader.bounds().chunk
	if w.partial {
		limit = w.reader.bounds().part
	}
	read, err := w.reader.read(ctx, w.after, 0, min(w.budget, limit), w.budget)
	if err != nil {
		return err
	}
	w.chunk, w.done, w.begun = read, 0, true
	w.budget -= read.cost
	return nil
}

// walk visits what the filter lets through, until the visitor has had enough or as much
// was read as may be. It gives the place behind which the list goes on, nil at its end.
func (l lister) walk(
	ctx context.Context, after *apikey.Locator, budget int, visit func(entry) bool,
) (*apikey.Locator, error) {
	w := l.walker(after, budget)
	for w.goesOn() {
		part, err := w.next(ctx)
		if err != nil {
			return nil, err
		}
		for i, e := range part {
			// A pattern can take long for one entry.
			if err := ctx.Err(); err != nil {
				return nil, fault.Wrap(fault.TimedOut, err, "context deadline exceeded")
			}
			if l.filter.Matches(e.message) && !visit(e) {
				return w.chunk.behind(w.done - len(part) + i), nil
			}
		}
	}
	return w.after, nil
}
