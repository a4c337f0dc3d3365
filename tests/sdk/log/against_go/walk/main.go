// Walks a published log with Go's sumdb packages: opens the cosigned checkpoint under the log's key, hashes every entry
// from the bundles up, and compares the root and each published tile. Never tlog.TileHashReader, which leaves tiles
// unauthenticated before x/mod v0.40.0 (CVE-2026-56865).
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(format string, values ...interface{}) {
	fmt.Printf(format+"\n", values...)
	os.Exit(1)
}

func main() {
	folder, vkey := os.Args[1], os.Args[2]
	read := func(name string) []byte {
		data, err := os.ReadFile(filepath.Join(folder, filepath.FromSlash(name)))
		if err != nil {
			fail("%s: %v", name, err)
		}
		return data
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		fail("vkey: %v", err)
	}
	opened, err := note.Open(read("checkpoint"), note.VerifierList(verifier))
	if err != nil {
		fail("checkpoint: %v", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		fail("checkpoint: not one of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("checkpoint: %v", err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil {
		fail("checkpoint: %v", err)
	}

	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, index := range at {
			out[i] = stored[index]
		}
		return out, nil
	})
	path := func(tile tlog.Tile) string { return strings.Replace(tile.Path(), "tile/8/", "tile/", 1) }
	count := int64(0)
	for index := int64(0); count < size; index++ {
		width := 256
		if size-count < 256 {
			width = int(size - count)
		}
		name := strings.Replace(path(tlog.Tile{H: 8, L: 0, N: index, W: width}), "tile/0/", "tile/entries/", 1)
		data := read(name)
		for at := 0; at < width; at++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				fail("%s: ends inside entry %d", name, at)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			hashes, err := tlog.StoredHashes(count, data[2:end], reader)
			if err != nil {
				fail("entry %d: %v", count, err)
			}
			stored = append(stored, hashes...)
			data = data[end:]
			count++
		}
		if len(data) != 0 {
			fail("%s: more than its entries", name)
		}
	}
	tiles := 0
	wanted := tlog.NewTiles(8, 0, size)
	for at, tile := range wanted {
		if at+1 < len(wanted) && wanted[at+1].L == tile.L && wanted[at+1].N == tile.N {
			continue // a narrower one of the same tile, of a size on the way
		}
		data, err := tlog.ReadTileData(tile, reader)
		if err != nil {
			fail("%s: %v", path(tile), err)
		}
		if !bytes.Equal(data, read(path(tile))) {
			fail("%s: not what the entries give", path(tile))
		}
		tiles++
	}
	computed, err := tlog.TreeHash(size, reader)
	if err != nil {
		fail("root: %v", err)
	}
	if !bytes.Equal(computed[:], root) {
		fail("root: not what the entries give")
	}
	fmt.Printf("%d entries, %d tiles, %d signatures, %d unknown\n", size, tiles, len(opened.Sigs), len(opened.UnverifiedSigs))
}
