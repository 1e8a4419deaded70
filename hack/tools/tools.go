//go:build tools

// Package tools pins the programs that are built as they are.
package tools

import (
	_ "github.com/nats-io/nats-server/v2"
	_ "github.com/yannh/kubeconform/cmd/kubeconform"
	_ "helm.sh/helm/v3/cmd/helm"
)
