package cli

import (
	"errors"
	"fmt"

	"github.com/popupd/popupd/internal/notice"
)

// checkWebhook returns what is wrong with -webhook and its secret.
func (c *Serve) checkWebhook() error {
	if c.Webhook != "" {
		if _, err := notice.ParseURL(c.Webhook); err != nil {
			return fmt.Errorf("-webhook: %w", err)
		}
		if c.WebhookSecret == "" {
			return errors.New("-webhook needs -webhook-secret or -webhook-secret-file")
		}
	}
	if c.WebhookSecret != "" {
		if _, err := notice.ParseSecrets(c.WebhookSecret); err != nil {
			return fmt.Errorf("-webhook-secret: %w", err)
		}
	}
	return nil
}
