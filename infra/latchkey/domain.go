package latchkey

import (
	"errors"
	"fmt"
	"regexp"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscertificatemanager"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// A Domain is one of your own for the API. Its DNS record is yours to make, and leads to
// the service's DomainTarget.
type Domain struct {
	// Name is the domain's, as keys.example.com. Without it there is none.
	Name string

	// CertificateARN is that of a certificate for the name, in ACM and in the region of
	// the service. It must be set where the name is.
	CertificateARN string

	// Exclusive has the API answer nowhere else: not at the URL that API Gateway gives it.
	Exclusive bool
}

var (
	domainName     = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]*[a-z0-9]$`)
	certificateARN = arnOf("acm", "certificate/")
)

func (d Domain) validate() error {
	switch {
	case d == Domain{}:
		return nil
	case d.Name == "" && d.Exclusive:
		return errors.New("Domain is Exclusive and has no Name: give the one at which alone the API is to answer")
	case d.Name == "":
		return errors.New("Domain has no Name: give the name that its certificate is for")
	case !domainName.MatchString(d.Name) || len(d.Name) > 253:
		return fmt.Errorf("Domain %q must be a name in lower case as keys.example.com", d.Name)
	case !certificateARN.MatchString(d.CertificateARN):
		return fmt.Errorf("CertificateARN %q must be the ARN of a certificate in ACM for the domain", d.CertificateARN)
	}
	return nil
}

// newDomain adds the domain of the API, if there is one, which speaks no TLS older than
// 1.2.
func newDomain(scope constructs.Construct, d Domain, api awsapigatewayv2.HttpApi) awsapigatewayv2.DomainName {
	if d.Name == "" {
		return nil
	}
	domain := awsapigatewayv2.NewDomainName(scope, jsii.String("Domain"), &awsapigatewayv2.DomainNameProps{
		DomainName: &d.Name,
		Certificate: awscertificatemanager.Certificate_FromCertificateArn(
			scope, jsii.String("Certificate"), &d.CertificateARN),
		SecurityPolicy: awsapigatewayv2.SecurityPolicy_TLS_1_2,
	})
	awsapigatewayv2.NewApiMapping(scope, jsii.String("Mapping"), &awsapigatewayv2.ApiMappingProps{
		Api: api, DomainName: domain, Stage: api.DefaultStage(),
	})
	return domain
}

// DomainTarget is where the DNS record of the domain must lead, by CNAME or as an alias;
// empty if there is no domain.
func (s *Service) DomainTarget() string {
	if s.domain == nil {
		return ""
	}
	return *s.domain.RegionalDomainName()
}
