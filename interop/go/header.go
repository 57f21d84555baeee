package main

// The signed part of a contribution, checked from docs/protocol.md, section 3, alone.

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"fmt"

	"filippo.io/edwards25519"
	"github.com/libp2p/go-libp2p/core/peer"
)

const signingPrefix = "starling/1/contribution\n"

type header struct {
	author   peer.ID
	run      []byte // CID
	deltaCid []byte // nil: closing
}

// readHeader refuses what is no header, or whose signature does not hold.
func readHeader(data []byte) (*header, error) {
	if len(data) > 65535 {
		return nil, fmt.Errorf("expected at most 65535 bytes, got %d", len(data))
	}
	all, err := fields(data)
	if err != nil {
		return nil, err
	}
	authorField, err1 := valueOf(all, "author")
	runField, err2 := valueOf(all, "run")
	deltaField, err3 := valueOf(all, "delta")
	sigField, err4 := valueOf(all, "sig")
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	authorBytes, err1 := str(authorField, 2)
	run, err2 := link(runField)
	sig, err3 := str(sigField, 2)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	author, err := peer.IDFromBytes(authorBytes)
	if err != nil {
		return nil, err
	}
	if err := verify(author, signingBytes(all), sig); err != nil {
		return nil, err
	}
	h := &header{author: author, run: run}
	if bytes.Equal(deltaField, []byte{0xf6}) { // null
		return h, nil
	}
	delta, err := fields(deltaField)
	if err != nil {
		return nil, err
	}
	cidField, err := valueOf(delta, "cid")
	if err != nil {
		return nil, err
	}
	h.deltaCid, err = link(cidField)
	return h, err
}

// signingBytes is the prefix and the same map without sig: one field fewer, the others as they are.
func signingBytes(all []field) []byte {
	out := append([]byte(signingPrefix), 0xa0|byte(len(all)-1))
	for _, f := range all {
		if f.key != "sig" {
			out = append(out, f.span...)
		}
	}
	return out
}

func verify(author peer.ID, data, sig []byte) error {
	key, err := author.ExtractPublicKey()
	if err != nil {
		return err
	}
	raw, err := key.Raw()
	if err != nil {
		return err
	}
	if len(sig) != 64 || smallOrder(raw) || smallOrder(sig[:32]) {
		return errors.New("expected 64 bytes of signature, key and R not of small order")
	}
	if !ed25519.Verify(raw, data, sig) {
		return fmt.Errorf("expected a signature of %s", author)
	}
	return nil
}

// smallOrder is true for what is no point at all, too.
func smallOrder(encoded []byte) bool {
	point, err := new(edwards25519.Point).SetBytes(encoded)
	if err != nil {
		return true
	}
	return new(edwards25519.Point).MultByCofactor(point).Equal(edwards25519.NewIdentityPoint()) == 1
}
