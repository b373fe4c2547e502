package apikey

import (
	"math"
	"testing"
	"time"
)

// For how long a previous secret is good: exactly so many minutes, and not at the last.
func TestRetention(t *testing.T) {
	rotated := time.Date(2026, 5, 6, 12, 0, 30, 5, time.UTC)
	const day = 24 * time.Hour
	for _, test := range []struct {
		minutes int64
		after   time.Duration
		want    bool
	}{
		{1, 0, true},
		{1, time.Minute - 1, true},
		{1, time.Minute, false},
		{1, time.Minute + 1, false},
		{2, 2*time.Minute - 1, true},
		{2, 2 * time.Minute, false},
		{1440, day - 1, true},
		{1440, day, false},

		{0, 0, false},
		{0, 1, false},
		{-1, 0, false},
		{-5, 0, false},
		{math.MinInt64, 0, false},
		{math.MinInt64, day, false},

		{math.MaxInt64, 0, true},
		{math.MaxInt64, 290 * 365 * day, true},
		{math.MaxInt64 / int64(time.Minute), 290 * 365 * day, true},
		{math.MaxInt64/int64(time.Minute) + 1, 290 * 365 * day, true},

		// By a clock that is behind the one of the rotation.
		{1, -1, true},
		{1, -time.Hour, true},
		{math.MaxInt64, -290 * 365 * day, true},
		{0, -1, false},
		{0, -time.Minute, false},
		{0, -time.Hour, false},
		{-1, -2 * time.Minute, false},
		{-5, -time.Hour, false},
		{math.MinInt64, -290 * 365 * day, false},
	} {
		key := Key{RotatedAt: rotated, RetainMinutes: test.minutes, Digest: Digest{1}, Previous: Digest{2}}
		now := rotated.Add(test.after)
		if got := key.isProvedBy(Digest{2}, now); got != test.want {
			t.Errorf("%d minutes, %v later: the previous secret is good: %v", test.minutes, test.after, got)
		}
		if !key.isProvedBy(Digest{1}, now) || key.isProvedBy(Digest{3}, now) || key.isProvedBy(Digest{}, now) {
			t.Errorf("%d minutes, %v later: the current secret is not the only other one", test.minutes, test.after)
		}
	}
	never := Key{Digest: Digest{1}, RetainMinutes: math.MaxInt64}
	if never.isProvedBy(Digest{}, rotated) {
		t.Error("a key that was never rotated has a previous secret")
	}
}
