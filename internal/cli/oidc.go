package cli

import (
	"errors"
	"fmt"

	"github.com/popupd/popupd/console/oidc"
)

// checkOIDC returns what is wrong with -oidc-issuer and the flags that go with it.
func (c *Serve) checkOIDC() error {
	switch {
	case c.OIDCRoleClaim == "":
		return errors.New("-oidc-role-claim cannot be empty")
	case c.OIDCIssuer == "" && c.OIDCClientID+c.OIDCClientSecret != "":
		return errors.New("-oidc-client-id and -oidc-client-secret need -oidc-issuer")
	case c.OIDCIssuer == "":
		return nil
	case c.OIDCClientID == "":
		return errors.New("-oidc-issuer needs -oidc-client-id")
	}
	if err := oidc.ParseIssuer(c.OIDCIssuer); err != nil {
		return fmt.Errorf("-oidc-issuer: %w", err)
	}
	return nil
}
