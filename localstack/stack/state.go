package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"latchkey/localstack/keyservice"
	"latchkey/localstack/stream"
	"latchkey/localstack/wholefile"
)

// Files of a state directory.
const (
	lockFile     = "lock"
	databaseFile = "dynamodb.db"
	rootKeyFile  = "root-key"
	runningFile  = "stack.json"
	ignoreFile   = ".gitignore"

	sessionKeysDir = "session-keys"
)

const (
	lockAttempts = 5
	lockDelay    = 20 * time.Millisecond
)

// ErrNotRunning says that no local stack runs on a state directory.
var ErrNotRunning = errors.New("no local stack runs on this directory: start one with `make run`")

// ErrInUse says that another local stack runs on a state directory.
var ErrInUse = errors.New("another local stack runs on this directory: " +
	"stop it, or choose another one with `make run DATA=some/dir`")

// A Running is what a local stack tells of itself while it runs.
type Running struct {
	URL        string `json:"url"`         // of the HTTP API
	ExampleURL string `json:"example_url"` // of the example's API
	InvokeURL  string `json:"invoke_url"`  // of Lambda's Invoke API
	DynamoDB   string `json:"dynamodb"`    // endpoint
	Table      string `json:"table"`
	PID        int    `json:"pid"`
}

// A state is a state directory that belongs to this process. The zero state has
// no directory and keeps nothing.
type state struct {
	dir  string
	lock *os.File
}

// openState makes the directory and takes its lock, which the kernel releases
// whatever ends this process. The mode of a directory that is there already is
// its owner's affair: every file of a stack has its own.
func openState(dir string) (*state, error) {
	if dir == "" {
		return &state{}, nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	if err := makeDir(dir); err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	lock, err := lockForGood(dir)
	if err != nil {
		return nil, err
	}
	s := &state{dir: dir, lock: lock}
	// What a predecessor that was killed may have left.
	return s, s.forget(runningFile)
}

// makeDir makes a directory where there is none, and keeps what will be in it out of
// every commit.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, ignoreFile), []byte("*\n"), 0o600)
}

// lockForGood tries a few times, because Find takes the lock for a moment.
func lockForGood(dir string) (*os.File, error) {
	for range lockAttempts - 1 {
		lock, err := lockDir(dir, syscall.LOCK_EX)
		if !errors.Is(err, ErrInUse) {
			return lock, err
		}
		time.Sleep(lockDelay)
	}
	return lockDir(dir, syscall.LOCK_EX)
}

func lockDir(dir string, how int) (*os.File, error) {
	lock, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("state directory: %w", err)
	}
	err = syscall.Flock(int(lock.Fd()), how|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		err = ErrInUse
	}
	if err != nil {
		_ = lock.Close()
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	return lock, nil
}

func (s *state) close() error {
	if s.dir == "" {
		return nil
	}
	return errors.Join(s.forget(runningFile), s.lock.Close())
}

// database is the emulator's file, empty for one in memory.
func (s *state) database() string {
	if s.dir == "" {
		return ""
	}
	return filepath.Join(s.dir, databaseFile)
}

// makeDatabase makes an empty file where there is none, because the emulator
// would make one that others may read. The files that SQLite puts beside it get
// its mode.
func (s *state) makeDatabase() error {
	if s.dir == "" {
		return nil
	}
	file, err := os.OpenFile(s.database(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("database: %w", err)
	}
	return file.Close()
}

// sessionKeys is the directory of the session keys, empty for keys in memory.
func (s *state) sessionKeys() string {
	if s.dir == "" {
		return ""
	}
	return filepath.Join(s.dir, sessionKeysDir)
}

func (s *state) rootKeyPath() string { return filepath.Join(s.dir, rootKeyFile) }

// rootKey is the full key that an earlier stack kept, empty when there is none.
func (s *state) rootKey() string {
	if s.dir == "" {
		return ""
	}
	key, err := ReadRootKey(s.dir)
	if err != nil {
		return ""
	}
	return key
}

func (s *state) keepRootKey(fullKey string) error {
	if s.dir == "" {
		return nil
	}
	return wholefile.Write(s.rootKeyPath(), []byte(fullKey+"\n"))
}

func (s *state) tellRunning(running Running) error {
	if s.dir == "" {
		return nil
	}
	text, err := json.MarshalIndent(running, "", "  ")
	if err != nil {
		return err
	}
	return wholefile.Write(filepath.Join(s.dir, runningFile), append(text, '\n'))
}

func (s *state) forget(file string) error {
	if s.dir == "" {
		return nil
	}
	err := os.Remove(filepath.Join(s.dir, file))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Reset forgets the data of a state directory on which no stack runs. It removes
// the files that a stack makes and nothing else. A directory without a lock file
// never was a stack's, and is left as it is.
func Reset(dir string) error {
	if _, err := os.Stat(filepath.Join(dir, lockFile)); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	s, err := openState(dir)
	if err != nil {
		return err
	}
	files := []string{rootKeyFile, databaseFile, databaseFile + "-wal", databaseFile + "-shm", databaseFile + "-journal"}
	for _, file := range files {
		err = errors.Join(err, s.forget(file))
	}
	return errors.Join(err, keyservice.Remove(s.sessionKeys()), stream.Remove(s.dir), s.close())
}

// ReadRootKey reads the full key that bootstrap made for the stack of a state
// directory.
func ReadRootKey(dir string) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, rootKeyFile))
	if err != nil {
		return "", fmt.Errorf("root key: %w", err)
	}
	key := strings.TrimSpace(string(text))
	if key == "" {
		return "", errors.New("root key: the file is empty")
	}
	return key, nil
}

// Find tells of the stack that runs on a state directory, or ErrNotRunning.
func Find(dir string) (Running, error) {
	if _, err := os.Stat(filepath.Join(dir, lockFile)); err != nil {
		return Running{}, fmt.Errorf("%s: %w", dir, ErrNotRunning)
	}
	lock, err := lockDir(dir, syscall.LOCK_SH)
	if err == nil {
		return Running{}, errors.Join(fmt.Errorf("%s: %w", dir, ErrNotRunning), lock.Close())
	}
	if !errors.Is(err, ErrInUse) {
		return Running{}, err
	}
	var running Running
	text, err := os.ReadFile(filepath.Join(dir, runningFile))
	if err == nil {
		err = json.Unmarshal(text, &running)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return Running{}, fmt.Errorf("%s: the local stack is still starting", dir)
	}
	return running, err
}
