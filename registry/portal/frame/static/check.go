// Checks a published log with Go's own packages: the signature under the checkpoint, and every entry up to its root.
//
//	go run check.go https://registry.example/log 'registry.example/log+16f7a5d3+AWEx…'
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

func fetch(address string) []byte {
	answer := must(http.Get(address))
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		log.Fatalf("%s: %s", address, answer.Status)
	}
	return must(io.ReadAll(answer.Body))
}

// bundle returns the entries from 256·n on, at most width of them.
func bundle(base string, n int64, width int) []byte {
	path := strings.Replace(tlog.Tile{H: 8, L: 0, N: n, W: width}.Path(), "tile/8/0/", "/tile/entries/", 1)
	return fetch(base + path)
}

func main() {
	log.SetFlags(0)
	if len(os.Args) != 3 {
		log.Fatal("usage: go run check.go ADDRESS-OF-THE-LOG KEY-OF-THE-LOG")
	}
	base, key := strings.TrimSuffix(os.Args[1], "/"), must(note.NewVerifier(os.Args[2]))
	signed := must(note.Open(fetch(base+"/checkpoint"), note.VerifierList(key)))
	lines := strings.Split(signed.Text, "\n")
	if len(lines) != 4 || lines[0] != key.Name() {
		log.Fatalf("expected a checkpoint of %s, got %q", key.Name(), signed.Text)
	}
	size, root := must(strconv.ParseInt(lines[1], 10, 64)), must(base64.StdEncoding.DecodeString(lines[2]))

	var hashes []tlog.Hash // in the order of tlog.StoredHashIndex
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(at))
		for i, index := range at {
			found[i] = hashes[index]
		}
		return found, nil
	})
	for count := int64(0); count < size; {
		width := 256
		if size-count < 256 {
			width = int(size - count)
		}
		data := bundle(base, count/256, width)
		for i := 0; i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				log.Fatalf("the bundle ends inside entry %d", count)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			hashes = append(hashes, must(tlog.StoredHashes(count, data[2:end], reader))...)
			data, count = data[end:], count+1
		}
	}
	computed := must(tlog.TreeHash(size, reader))
	if !bytes.Equal(computed[:], root) {
		log.Fatalf("the entries give another root than %s has signed", key.Name())
	}
	fmt.Printf("%s signed these %d entries: root %s\n", key.Name(), size, lines[2])
}
