// Package platform has the operations that belong to none of the three APIs: the
// health check, the public session keys, the bootstrap of a namespace's first key, and the
// deletion of a namespace.
// What no route takes is package unrouted's.
package platform

import (
	"context"
	"net/http"

	"github.com/go-json-experiment/json"

	"latchkey/shared/api/wiring"
	"latchkey/shared/apikey"
	"latchkey/shared/fault"
	"latchkey/shared/namespace"
	"latchkey/shared/telemetry"
	"latchkey/shared/web"
)

// Health is the endpoint of operation.Health. It answers without reading anything.
func Health() wiring.Endpoint { return endpoint(health) }

func health(context.Context, *web.Request) (web.Response, error) {
	return web.JSON(http.StatusOK, map[string]string{"status": "ok"}, false)
}

func endpoint(h web.Handler) wiring.Endpoint {
	return wiring.Endpoint{Handler: h, Envelope: web.Problem}
}

type bootstrapRequest struct {
	Namespace string `json:"namespace"`
}

type bootstrapAnswer struct {
	Namespace string `json:"namespace"`
	UUID      string `json:"uuid"`
	Key       string `json:"key"`
	Secret    string `json:"secret"`
	FullKey   string `json:"full_key"`
}

// Bootstrap makes an administrator's key for {"namespace": "…"} and shows it, this
// once. Every call makes one more: it is also the way back in after the last
// administrator's key is lost.
func Bootstrap(keys *apikey.Service) func(context.Context, *telemetry.Entry, []byte) ([]byte, error) {
	return func(ctx context.Context, entry *telemetry.Entry, payload []byte) ([]byte, error) {
		var request bootstrapRequest
		if err := web.DecodeJSON(payload, &request); err != nil {
			return nil, err
		}
		ns, err := parseNamespace(request.Namespace)
		if err != nil {
			return nil, err
		}
		issued, err := keys.Bootstrap(ctx, ns)
		if err != nil {
			return nil, err
		}
		entry.Note("key", issued.Key.Locator.ID.String())
		entry.Note("namespace", ns.String())
		return json.Marshal(bootstrapAnswerOf(issued))
	}
}

func parseNamespace(path string) (namespace.Namespace, error) {
	ns, err := namespace.Parse(path)
	if err != nil {
		return namespace.Namespace{}, fault.InvalidField("namespace", "value "+err.Error())
	}
	return ns, nil
}

func bootstrapAnswerOf(issued apikey.Issued) bootstrapAnswer {
	identifier, secretPart := issued.FullKey.RevealPair()
	return bootstrapAnswer{
		Namespace: issued.Key.Locator.Namespace.String(),
		UUID:      issued.Key.Locator.ID.String(),
		Key:       identifier,
		Secret:    secretPart,
		FullKey:   issued.FullKey.Reveal(),
	}
}
