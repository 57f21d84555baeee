package main

// As much of DAG-CBOR as a header needs: a map's fields as the spans of bytes that they are, so that what was signed
// can be put together again without re-encoding anything (docs/protocol.md, section 3).

import (
	"bytes"
	"errors"
	"fmt"
)

type field struct {
	key   string
	span  []byte // key and value
	value []byte
}

// head reads a major type and its argument; rest is what follows it.
func head(data []byte) (major byte, argument uint64, rest []byte, err error) {
	if len(data) == 0 {
		return 0, 0, nil, errors.New("expected a CBOR item, the bytes end")
	}
	major, info := data[0]>>5, data[0]&31
	if info < 24 {
		return major, uint64(info), data[1:], nil
	}
	size := 1 << (info - 24)
	if info > 27 || len(data) < 1+size {
		return 0, 0, nil, fmt.Errorf("expected a definite length, got head %#x", data[0])
	}
	for _, b := range data[1 : 1+size] {
		argument = argument<<8 | uint64(b)
	}
	return major, argument, data[1+size:], nil
}

// skip gives what follows one item. depth bounds the recursion.
func skip(data []byte, depth int) ([]byte, error) {
	major, argument, rest, err := head(data)
	if err != nil || depth > 16 {
		return nil, errors.Join(err, errors.New("expected shallow CBOR"))
	}
	items := uint64(0)
	switch major {
	case 2, 3:
		if argument > uint64(len(rest)) {
			return nil, errors.New("expected a string within the bytes")
		}
		return rest[argument:], nil
	case 4:
		items = argument
	case 5:
		items = 2 * argument
	case 6:
		items = 1
	}
	for ; items > 0; items-- {
		if rest, err = skip(rest, depth+1); err != nil {
			return nil, err
		}
	}
	return rest, nil
}

// fields splits a map into its fields; nothing may follow it.
func fields(data []byte) ([]field, error) {
	major, count, rest, err := head(data)
	if err != nil || major != 5 {
		return nil, errors.Join(err, errors.New("expected a CBOR map"))
	}
	var all []field
	for ; count > 0; count-- {
		key, err := text(rest)
		if err != nil {
			return nil, err
		}
		value, _ := skip(rest, 0)
		after, err := skip(value, 0)
		if err != nil {
			return nil, err
		}
		all = append(all, field{key, rest[:len(rest)-len(after)], value[:len(value)-len(after)]})
		rest = after
	}
	if len(rest) > 0 {
		return nil, errors.New("expected nothing after the map")
	}
	return all, nil
}

func valueOf(all []field, key string) ([]byte, error) {
	for _, f := range all {
		if f.key == key {
			return f.value, nil
		}
	}
	return nil, fmt.Errorf("expected a field %q", key)
}

func str(data []byte, want byte) ([]byte, error) {
	major, length, rest, err := head(data)
	if err != nil || major != want || length > uint64(len(rest)) {
		return nil, errors.Join(err, fmt.Errorf("expected a string of major type %d", want))
	}
	return rest[:length], nil
}

func text(data []byte) (string, error) {
	bytes, err := str(data, 3)
	return string(bytes), err
}

// link gives the 36 bytes of a CID: tag 42 around a byte string of a zero byte and the CID.
func link(data []byte) ([]byte, error) {
	rest, found := bytes.CutPrefix(data, []byte{0xd8, 42})
	if !found {
		return nil, errors.New("expected a link")
	}
	inner, err := str(rest, 2)
	if err != nil || len(inner) != 37 || inner[0] != 0 {
		return nil, errors.Join(err, errors.New("expected a CID of 36 bytes in a link"))
	}
	return inner[1:], nil
}
