package stack

import (
	"fmt"
	"net"

	"latchkey/localstack/keyservice"
)

// serviceName is what the metrics of a stack's functions name it.
const serviceName = "latchkey"

// SessionAudience is the audience of the session tokens that a stack issues; their
// issuer is the HTTP API's URL.
const SessionAudience = "latchkey"

// startKeyService serves the session keys, and makes one where there is none.
func (s *Stack) startKeyService() error {
	keys, err := keyservice.Open(s.state.sessionKeys())
	if err != nil {
		return fmt.Errorf("session keys: %w", err)
	}
	if len(keys.IDs()) == 0 || s.config.NewSessionKey {
		if _, err := keys.Create(); err != nil {
			return fmt.Errorf("session keys: %w", err)
		}
	}
	s.sessionKeys = keys.IDs()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("address of the key service: %w", err)
	}
	s.keyService = urlOf(listener)
	s.serveOn(listener, keys, "key service")
	return nil
}

// KeyServiceURL is the base URL of what stands in for KMS.
func (s *Stack) KeyServiceURL() string { return s.keyService }
