package operation

import "strconv"

// A Runtime is how Go's runtime works in a function's processes, which it reads from the
// environment that a process starts with. Lambda reserves none of those variables. What is
// zero is left to Go.
//
//   - https://pkg.go.dev/runtime#hdr-Environment_Variables
//   - https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
type Runtime struct {
	// Procs is GOMAXPROCS, on how many processors Go code runs at once.
	Procs int

	// GCPercent is GOGC: by how many hundredths of what is alive in it the heap grows
	// before it is collected. The heap's limit, GOMEMLIMIT, comes with it.
	GCPercent int
}

// MBOfProcessor is the memory size in MB that brings the time of one processor with it;
// less brings the same part less. Only until the first event there is a whole one for all.
//
//   - https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html
//   - https://serverlessland.com/content/service/lambda/guides/effectively-running-java-on-serverless/init-heavy-lifting
const MBOfProcessor = 1769

// memoryLimitPercent is the part of its memory size up to which a function's heap grows by
// GCPercent; from there it is collected as often as it takes. What is left is for the
// program, for the system, and for a heap that cannot be smaller.
//
// Without it the longest sorted list, of 10,000 keys with the largest grants, takes 704 MB
// at a GCPercent of 400, and Lambda ends what exceeds its size, here 512 MB. With it, it
// takes 411 MB and a tenth more of processor time, which is still a fifth less than with
// Go's own 100. Package runtimecost holds each function to its memory.
const memoryLimitPercent = 80

// UsualRuntime is for functions that have less than the time of one processor, as all do.
// With it a validation and a creation take 0.8 of the processor time that they take if all is
// left to Go, and a page of 20 keys 0.7; package runtimecost holds that it saves some.
//
// One processor: with two, threads of one request take turns in the time of less than one.
// Left to itself, Go never takes less than two where there are two, whatever the quota.
//
// A heap that grows to five times what is alive, and so to 16 MB where little is: a process
// has 25 MB in place of 15, and collects a quarter as often.
//
//   - https://pkg.go.dev/runtime#GOMAXPROCS
//   - https://go.dev/doc/gc-guide
var UsualRuntime = Runtime{Procs: 1, GCPercent: 400}

// RuntimeEnvironment gives the environment variables that make the operation's Runtime;
// none where that is zero.
func (o Operation) RuntimeEnvironment() map[string]string {
	variables := map[string]string{}
	if o.Runtime.Procs > 0 {
		variables["GOMAXPROCS"] = strconv.Itoa(o.Runtime.Procs)
	}
	if o.Runtime.GCPercent > 0 {
		variables["GOGC"] = strconv.Itoa(o.Runtime.GCPercent)
		variables["GOMEMLIMIT"] = strconv.Itoa(o.MemoryMB*memoryLimitPercent/100) + "MiB"
	}
	return variables
}
