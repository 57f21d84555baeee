package main

// A small member of the run's Kademlia DHT: Message { type: 1, key: 2, closerPeers: 8, providerPeers: 9 }, where a peer is
// { id: 1, addrs: 2 }. It answers what it is asked with the one peer that it knows, says that it provides the run, and
// asks who else does.

import (
	"bufio"
	"context"
	"fmt"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/protobuf/encoding/protowire"
)

const (
	addProvider  = 2
	getProviders = 3
)

func serveDht(h host.Host, id protocol.ID, known peer.AddrInfo) {
	h.SetStreamHandler(id, func(stream network.Stream) {
		defer stream.Close()
		reader := bufio.NewReader(stream)
		for {
			message, err := readFrame(reader)
			if err != nil {
				return
			}
			kind, key := typeOf(message)
			if kind == addProvider {
				continue // It wants no answer.
			}
			reply := append(varintField(1, kind), bytesField(2, key)...)
			reply = append(reply, bytesField(8, encodePeer(known))...)
			if err := writeFrame(stream, reply); err != nil {
				return
			}
		}
	})
}

func typeOf(message []byte) (kind uint64, key []byte) {
	for rest := message; len(rest) > 0; {
		number, wire, n := protowire.ConsumeTag(rest)
		if n < 0 {
			return kind, key
		}
		rest = rest[n:]
		size := protowire.ConsumeFieldValue(number, wire, rest)
		if size < 0 {
			return kind, key
		}
		switch {
		case number == 1 && wire == protowire.VarintType:
			kind, _ = protowire.ConsumeVarint(rest)
		case number == 2 && wire == protowire.BytesType:
			key, _ = protowire.ConsumeBytes(rest)
		}
		rest = rest[size:]
	}
	return kind, key
}

func encodePeer(info peer.AddrInfo) []byte {
	out := bytesField(1, []byte(info.ID))
	for _, address := range info.Addrs {
		out = append(out, bytesField(2, address.Bytes())...)
	}
	return out
}

// provide tells a peer that we provide what has this multihash.
func provide(ctx context.Context, h host.Host, to peer.ID, id protocol.ID, multihash []byte) error {
	stream, err := h.NewStream(ctx, to, id)
	if err != nil {
		return err
	}
	defer stream.Close()
	self := peer.AddrInfo{ID: h.ID(), Addrs: h.Addrs()}
	message := append(varintField(1, addProvider), bytesField(2, multihash)...)
	return writeFrame(stream, append(message, bytesField(9, encodePeer(self))...))
}

// providers asks a peer who provides it.
func providers(ctx context.Context, h host.Host, to peer.ID, id protocol.ID, multihash []byte) ([]peer.ID, error) {
	reply, err := request(ctx, h, to, id, append(varintField(1, getProviders), bytesField(2, multihash)...))
	if err != nil {
		return nil, err
	}
	var found []peer.ID
	err = each(reply, func(number protowire.Number, value []byte) {
		if number != 9 {
			return
		}
		_ = each(value, func(number protowire.Number, id []byte) {
			if number == 1 {
				found = append(found, peer.ID(id))
			}
		})
	})
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("expected a provider of the run, got none")
	}
	return found, err
}
