package main

// The three ways in which bytes travel: frames of requests, GossipSub's RPCs, and the DHT's messages. The last two are
// written by hand from libp2p's specifications, in as few fields as a small peer needs.

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/libp2p/go-libp2p/core/host"
	"github.com/libp2p/go-libp2p/core/network"
	"github.com/libp2p/go-libp2p/core/peer"
	"github.com/libp2p/go-libp2p/core/protocol"
	"google.golang.org/protobuf/encoding/protowire"
)

const frameMax = 4 << 20

func writeFrame(w io.Writer, data []byte) error {
	_, err := w.Write(append(binary.AppendUvarint(nil, uint64(len(data))), data...))
	return err
}

func readFrame(r *bufio.Reader) ([]byte, error) {
	length, err := binary.ReadUvarint(r)
	if err != nil {
		return nil, err
	}
	if length > frameMax {
		return nil, fmt.Errorf("expected a frame of at most %d bytes, got %d", frameMax, length)
	}
	data := make([]byte, length)
	_, err = io.ReadFull(r, data)
	return data, err
}

// request sends one frame on a stream of its own and reads one.
func request(ctx context.Context, h host.Host, to peer.ID, id protocol.ID, data []byte) ([]byte, error) {
	stream, err := h.NewStream(ctx, to, id)
	if err != nil {
		return nil, err
	}
	defer stream.Reset()
	if deadline, ok := ctx.Deadline(); ok {
		if err := stream.SetDeadline(deadline); err != nil {
			return nil, err
		}
	}
	if err := writeFrame(stream, data); err != nil {
		return nil, err
	}
	return readFrame(bufio.NewReader(stream))
}

// pullBlock asks for the bytes of a CID and hashes what comes (docs/protocol.md, section 12).
func pullBlock(ctx context.Context, h host.Host, from peer.ID, cid []byte) ([]byte, error) {
	reply, err := request(ctx, h, from, "/starling/1/blocks", cid)
	if err != nil {
		return nil, err
	}
	if len(reply) == 0 || reply[0] != 0 {
		return nil, fmt.Errorf("expected status 0 and a block, got % x", reply[:min(1, len(reply))])
	}
	if digest := sha256.Sum256(reply[1:]); string(digest[:]) != string(cid[4:]) {
		return nil, errors.New("expected bytes that the CID names")
	}
	return reply[1:], nil
}

func bytesField(number protowire.Number, value []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), value)
}

func varintField(number protowire.Number, value uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), value)
}

// each calls visit for every field of a protobuf message that is a string of bytes; others are passed over.
func each(message []byte, visit func(protowire.Number, []byte)) error {
	for len(message) > 0 {
		number, kind, n := protowire.ConsumeTag(message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
		if kind == protowire.BytesType {
			value, n := protowire.ConsumeBytes(message)
			if n < 0 {
				return protowire.ParseError(n)
			}
			visit(number, value)
			message = message[n:]
			continue
		}
		n = protowire.ConsumeFieldValue(number, kind, message)
		if n < 0 {
			return protowire.ParseError(n)
		}
		message = message[n:]
	}
	return nil
}

// subscribe speaks GossipSub: RPC { subscriptions: 1 { subscribe: 1, topic: 2 }, messages: 2 { data: 2, topic: 4 } }.
// What comes on the topic goes to the channel.
func subscribe(ctx context.Context, h host.Host, to peer.ID, topic string, arrived chan<- []byte) error {
	const meshsub = "/meshsub/1.1.0"
	h.SetStreamHandler(meshsub, func(stream network.Stream) {
		reader := bufio.NewReader(stream)
		for {
			rpc, err := readFrame(reader)
			if err != nil {
				stream.Reset()
				return
			}
			err = each(rpc, func(number protowire.Number, message []byte) {
				if number == 2 {
					deliver(message, topic, arrived)
				}
			})
			if err != nil {
				stream.Reset()
				return
			}
		}
	})
	stream, err := h.NewStream(ctx, to, meshsub)
	if err != nil {
		return err
	}
	subscription := append(varintField(1, 1), bytesField(2, []byte(topic))...)
	graft := bytesField(3, bytesField(3, bytesField(1, []byte(topic))))
	return writeFrame(stream, append(bytesField(1, subscription), graft...))
}

func deliver(message []byte, topic string, arrived chan<- []byte) {
	var data []byte
	var of string
	_ = each(message, func(number protowire.Number, value []byte) {
		switch number {
		case 2:
			data = value
		case 4:
			of = string(value)
		}
	})
	if of == topic && data != nil {
		select {
		case arrived <- data:
		default: // One is enough, and nobody waits for more.
		}
	}
}
