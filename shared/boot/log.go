package boot

import (
	"io"
	"log/slog"

	"latchkey/shared/telemetry"
)

// logLevelVariable is set by Lambda to the application log level of a function whose log
// format is JSON.
const logLevelVariable = "AWS_LAMBDA_LOG_LEVEL"

// Lambda's levels; the first and the last are finer than ours.
//
// https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html
var logLevels = map[string]slog.Level{
	"TRACE": slog.LevelDebug, "DEBUG": slog.LevelDebug, "INFO": slog.LevelInfo, "WARN": slog.LevelWarn,
	"ERROR": slog.LevelError, "FATAL": slog.LevelError,
}

// newLog writes lines of JSON, from a level on; INFO for one that is not known. Lambda
// passes on such lines as they are, and filters them once more by their level. One that has
// no time by the name of timestamp it takes to be at INFO, whatever level that names: a
// function that is to log nothing below WARN would log no errors.
func newLog(out io.Writer, level string) *slog.Logger {
	return telemetry.NewLog(out, logLevels[level]) // INFO is slog's zero
}
