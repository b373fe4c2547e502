package latchkey

import (
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/jsii-runtime-go"

	"latchkey/shared/operation"
)

func (p ServiceProps) validateThrottles() error {
	for _, name := range slices.Sorted(maps.Keys(p.Throttles)) {
		if op, ok := operation.Named(name); !ok || op.Route == "" {
			return fmt.Errorf("no operation with a route is called %q, which is in Throttles", name)
		}
		if limit := p.Throttles[name]; limit.Rate < 1 || limit.Burst < 1 {
			return fmt.Errorf("limit of %s in Throttles, %d requests per second and %d at once, must be at least 1 and 1", name, limit.Rate, limit.Burst)
		}
	}
	return nil
}

// throttle limits every route that has been added, by the catalogue or as was asked for.
// The stage waits for them: it refuses the limit of a route that is not there yet.
func (s *Service) throttle(overrides map[string]operation.Throttle) {
	settings := make(map[string]any)
	stage := s.api.DefaultStage().Node().DefaultChild().(awsapigatewayv2.CfnStage)
	for _, op := range deployed() {
		if op.Route == "" {
			continue
		}
		limit, ok := overrides[op.Name]
		if !ok {
			limit = op.Throttle
		}
		settings[op.Route] = map[string]any{"ThrottlingRateLimit": limit.Rate, "ThrottlingBurstLimit": limit.Burst}
		stage.AddResourceDependency(s.routes[op.Name], nil)
	}
	stage.SetRouteSettings(settings)
	stage.SetDefaultRouteSettings(&awsapigatewayv2.CfnStage_RouteSettingsProperty{
		ThrottlingRateLimit:  jsii.Number(operation.DefaultThrottle.Rate),
		ThrottlingBurstLimit: jsii.Number(operation.DefaultThrottle.Burst),
	})
}
