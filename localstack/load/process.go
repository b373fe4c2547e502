package load

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// A process is one of this machine's.
type process struct {
	id, parent int
	resident   int64 // bytes
	program    string
}

// processes are those of this machine. Linux tells in files, and others by ps, which a
// container may not have.
//
// https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
// https://pubs.opengroup.org/onlinepubs/9799919799/utilities/ps.html (rss is an extension
// that Linux, macOS and the BSDs have, in units of 1,024 bytes)
func processes() ([]process, error) {
	if _, err := os.Stat("/proc/self/stat"); err == nil {
		return fromProc()
	}
	text, err := exec.Command("ps", "-A", "-o", "pid=", "-o", "ppid=", "-o", "rss=", "-o", "args=").Output()
	if err != nil {
		return nil, fmt.Errorf("ps: %w", err)
	}
	return fromPS(string(text))
}

func fromPS(text string) ([]process, error) {
	var all []process
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 4 {
			continue
		}
		id, err1 := strconv.Atoi(fields[0])
		parent, err2 := strconv.Atoi(fields[1])
		kilobytes, err3 := strconv.ParseInt(fields[2], 10, 64)
		if err := errors.Join(err1, err2, err3); err != nil {
			return nil, fmt.Errorf("line of ps: %w", err)
		}
		all = append(all, process{id, parent, kilobytes << 10, filepath.Base(fields[3])})
	}
	return all, nil
}

func fromProc() ([]process, error) {
	found, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	var all []process
	for _, file := range found {
		p, err := readProc(filepath.Dir(file))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // it has ended
		}
		if err != nil {
			return nil, fmt.Errorf("process %s: %w", file, err)
		}
		all = append(all, p)
	}
	return all, nil
}

// Where fields are in stat, behind the name, which is in parentheses and may hold any.
const (
	parentField   = 1
	residentField = 21
)

func readProc(dir string) (process, error) {
	stat, err := os.ReadFile(filepath.Join(dir, "stat"))
	if err != nil {
		return process{}, err
	}
	command, err := os.ReadFile(filepath.Join(dir, "cmdline"))
	if err != nil {
		return process{}, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	if len(fields) <= residentField {
		return process{}, errors.New("stat is too short")
	}
	id, err1 := strconv.Atoi(filepath.Base(dir))
	parent, err2 := strconv.Atoi(fields[parentField])
	pages, err3 := strconv.ParseInt(fields[residentField], 10, 64)
	program, _, _ := bytes.Cut(command, []byte{0})
	return process{id, parent, pages * int64(os.Getpagesize()), filepath.Base(string(program))}, errors.Join(err1, err2, err3)
}

// below is a process and its descendants.
func below(all []process, root int) []process {
	inside := map[int]bool{root: true}
	for grown := true; grown; {
		grown = false
		for _, p := range all {
			if inside[p.parent] && !inside[p.id] {
				inside[p.id], grown = true, true
			}
		}
	}
	var family []process
	for _, p := range all {
		if inside[p.id] {
			family = append(family, p)
		}
	}
	return family
}
