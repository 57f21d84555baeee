// A peer in another language, written from docs/protocol.md and libp2p's specifications alone: it connects with TCP, Noise
// and Yamux, takes part in the DHT under the run's prefix, subscribes to the topic of phase 0, checks the signature of a
// header that gossip brings, and pulls the header's delta. Prints a line for each; exits with 1 at the first that fails.
//
//	interop -run bafyrei… -peer /ip4/127.0.0.1/tcp/4001/p2p/12D3KooW…
package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/ipfs/go-cid"
	"github.com/libp2p/go-libp2p"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"github.com/libp2p/go-libp2p/p2p/muxer/yamux"
	"github.com/libp2p/go-libp2p/p2p/security/noise"
	"github.com/libp2p/go-libp2p/p2p/transport/tcp"
)

func main() {
	run := flag.String("run", "", "the run's CID")
	address := flag.String("peer", "", "a node of it: multiaddr with /p2p/")
	timeout := flag.Duration("timeout", 2*time.Minute, "give up after")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), *timeout)
	defer cancel()
	if err := takePart(ctx, *run, *address); err != nil {
		fmt.Fprintln(os.Stderr, "failed:", err)
		os.Exit(1)
	}
}

func takePart(ctx context.Context, run, address string) error {
	runCid, err := cid.Decode(run)
	if err != nil {
		return fmt.Errorf("-run: %w", err)
	}
	node, err := peer.AddrInfoFromString(address)
	if err != nil {
		return fmt.Errorf("-peer: %w", err)
	}
	h, err := libp2p.New(
		libp2p.ListenAddrStrings("/ip4/127.0.0.1/tcp/0"),
		libp2p.Transport(tcp.NewTCPTransport),
		libp2p.Security(noise.ID, noise.New),
		libp2p.Muxer(yamux.ID, yamux.DefaultTransport),
		libp2p.DisableRelay(),
	)
	if err != nil {
		return err
	}
	defer h.Close()
	dht := protocol.ID("/starling/1/" + run + "/kad/1.0.0")
	serveDht(h, dht, *node)

	if err := h.Connect(ctx, *node); err != nil {
		return fmt.Errorf("connect: %w", err)
	}
	spoken, err := h.Peerstore().SupportsProtocols(node.ID, dht, "/starling/1/blocks")
	if err != nil || len(spoken) != 2 {
		return fmt.Errorf("expected a node of the run, which speaks %s, got %v %w", dht, spoken, err)
	}
	state := h.Network().ConnsToPeer(node.ID)[0].ConnState()
	fmt.Printf("ok connected over %s, %s, %s as %s\n", state.Transport, state.Security, state.StreamMultiplexer, h.ID())

	if err := provide(ctx, h, node.ID, dht, runCid.Hash()); err != nil {
		return fmt.Errorf("DHT, provide: %w", err)
	}
	others, err := waitForProviders(ctx, func() ([]peer.ID, error) {
		return providers(ctx, h, node.ID, dht, runCid.Hash())
	}, h.ID())
	if err != nil {
		return fmt.Errorf("DHT, providers: %w", err)
	}
	fmt.Printf("ok DHT: %d providers of the run, we are one\n", len(others))

	arrived := make(chan []byte, 1)
	topic := "/starling/1/" + run + "/phase/0/contributions"
	if err := subscribe(ctx, h, node.ID, topic, arrived); err != nil {
		return fmt.Errorf("subscribe: %w", err)
	}
	for {
		select {
		case data := <-arrived:
			contribution, err := readHeader(data)
			if err != nil {
				return fmt.Errorf("header: %w", err)
			}
			if !bytes.Equal(contribution.run, runCid.Bytes()) {
				return errors.New("header: expected one of this run")
			}
			fmt.Printf("ok header of %s: its signature holds\n", contribution.author)
			broken := slices.Clone(data)
			broken[bytes.Index(broken, []byte("round"))+5] ^= 1
			if _, err := readHeader(broken); err == nil {
				return errors.New("header: expected another round to break the signature")
			}
			if contribution.deltaCid == nil {
				continue
			}
			return pullDelta(ctx, contribution, func(id []byte) ([]byte, error) {
				return pullBlock(ctx, h, node.ID, id)
			})
		case <-ctx.Done():
			return fmt.Errorf("expected a header on %s: %w", topic, ctx.Err())
		}
	}
}

func pullDelta(ctx context.Context, h *header, pull func([]byte) ([]byte, error)) error {
	// The node that told us may still be pulling it itself.
	for {
		block, err := pull(h.deltaCid)
		if err == nil {
			if string(block[:4]) != "SDLT" {
				return fmt.Errorf("expected a delta's magic, got %q", block[:4])
			}
			fmt.Printf("ok delta: %d bytes, of %d weights, hash checked\n", len(block), binary.LittleEndian.Uint64(block[8:]))
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("delta: %w", err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// A record that was just sent may be stored a little later.
func waitForProviders(ctx context.Context, ask func() ([]peer.ID, error), self peer.ID) ([]peer.ID, error) {
	for {
		found, err := ask()
		if err == nil && slices.Contains(found, self) {
			return found, nil
		}
		select {
		case <-ctx.Done():
			return nil, fmt.Errorf("expected ourselves among %v: %w", found, errors.Join(err, ctx.Err()))
		case <-time.After(200 * time.Millisecond):
		}
	}
}
