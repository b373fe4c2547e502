package boot

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"latchkey/shared/operation"
)

func TestLogLevel(t *testing.T) {
	for level, want := range map[string]slog.Level{
		"": slog.LevelInfo, "loud": slog.LevelInfo, "TRACE": slog.LevelDebug, "DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo,
		"WARN": slog.LevelWarn, "ERROR": slog.LevelError, "FATAL": slog.LevelError,
	} {
		config, err := FromEnvironment(operation.Health, func(name string) string {
			return map[string]string{"AWS_LAMBDA_LOG_LEVEL": level, operation.ServiceNameVariable: "latchkey"}[name]
		})
		if err != nil {
			t.Fatal(err)
		}
		if !config.Log.Enabled(t.Context(), want) || config.Log.Enabled(t.Context(), want-1) {
			t.Errorf("at %q the log does not begin at %v", level, want)
		}
	}
}

// Lambda reads the level of a line only where it finds the line's time.
func TestLogLine(t *testing.T) {
	var out strings.Builder
	newLog(&out, "").Error("request", slog.Group("of", slog.String("time", "a key")))
	var line struct {
		Timestamp time.Time `json:"timestamp"`
		Level     string    `json:"level"`
		Of        struct {
			Time string `json:"time"`
		} `json:"of"`
	}
	if err := json.Unmarshal([]byte(out.String()), &line); err != nil {
		t.Fatal(err)
	}
	if line.Timestamp.IsZero() || line.Level != "ERROR" || line.Of.Time != "a key" {
		t.Errorf("the line is %s", out.String())
	}
}
