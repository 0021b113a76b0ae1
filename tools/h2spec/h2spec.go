//go:build tools

// Package h2spec names the conformance suite for HTTP/2, so that go.mod pins it and what it is built from.
package h2spec

import _ "github.com/summerwind/h2spec/cmd/h2spec"
