package awsjson

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/kms"

	"latchkey/shared/awsclient"
)

var regions = []string{
	"us-east-1", "eu-central-1", "ap-southeast-7", "il-central-1", "mx-central-1", "me-south-1", "us-gov-east-1", "us-gov-west-1",
	"cn-north-1", "cn-northwest-1", "eusc-de-east-1", "us-iso-east-1", "us-iso-west-1", "us-isob-east-1", "us-isob-west-1",
	"eu-isoe-west-1", "us-isof-south-1", "us-isof-east-1", "xx-future-1",
}

// The SDK's own resolvers know the partitions by patterns.
func TestEndpoints(t *testing.T) {
	resolvers := map[string]func(region string) (string, error){
		"kms": func(region string) (string, error) {
			to, err := kms.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(),
				kms.EndpointParameters{Region: &region, UseFIPS: aws.Bool(false), UseDualStack: aws.Bool(false)})
			return to.URI.String(), err
		},
		"dynamodb": func(region string) (string, error) {
			to, err := dynamodb.NewDefaultEndpointResolverV2().ResolveEndpoint(t.Context(),
				dynamodb.EndpointParameters{Region: &region, UseFIPS: aws.Bool(false), UseDualStack: aws.Bool(false)})
			return to.URI.String(), err
		},
	}
	for service, resolve := range resolvers {
		for _, region := range regions {
			want, err := resolve(region)
			if err != nil {
				t.Fatal(err)
			}
			if got := endpointOf(awsclient.Config{Region: region}, service); got != want {
				t.Errorf("%s in %s: %s, want %s", service, region, got, want)
			}
		}
	}
}
