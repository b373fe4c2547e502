package awsjson

import (
	"strings"

	"latchkey/shared/awsclient"
)

// Suffixes of the hosts in a partition of AWS, by what its regions begin with. All others
// are in one of the partitions aws and aws-us-gov, whose suffix is the same.
//
// https://docs.aws.amazon.com/general/latest/gr/rande.html
var suffixes = []struct{ regions, suffix string }{
	{"cn-", "amazonaws.com.cn"},
	{"eusc-", "amazonaws.eu"},
	{"us-iso-", "c2s.ic.gov"},
	{"us-isob-", "sc2s.sgov.gov"},
	{"eu-isoe-", "cloud.adc-e.uk"},
	{"us-isof-", "csp.hci.ic.gov"},
}

// endpointOf is the region's standard endpoint of a service, unless another is configured:
// one that is FIPS validated or reached by IPv6, that of another region, or that of a
// partition which has come later.
func endpointOf(c awsclient.Config, service string) string {
	if c.Endpoint != "" {
		return c.Endpoint
	}
	suffix := "amazonaws.com"
	for _, partition := range suffixes {
		if strings.HasPrefix(c.Region, partition.regions) {
			suffix = partition.suffix
		}
	}
	return "https://" + service + "." + c.Region + "." + suffix
}
