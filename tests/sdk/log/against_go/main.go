// Reads what our log code made, judges it with Go's sumdb packages, and answers with Go's own.
package main

import (
	"bytes"
	"encoding/json"
	"os"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

type question struct {
	Note    []byte   // signed by ours
	Vkey    string   // of the signer
	Text    []byte   // for Go to sign
	Seed    [32]byte // for Go's key
	Entries [][]byte
	Index   int64
	Old     int64
}

type answer struct {
	Opened      string
	Note        []byte
	Vkey        string
	Root        []byte
	OldRoot     []byte
	Inclusion   [][]byte
	Consistency [][]byte
	Paths       []string
	Tiles       [][]byte
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func list(hashes []tlog.Hash) [][]byte {
	out := [][]byte{}
	for i := range hashes {
		out = append(out, hashes[i][:])
	}
	return out
}

func main() {
	var q question
	var a answer
	must(json.NewDecoder(os.Stdin).Decode(&q))

	verifier, err := note.NewVerifier(q.Vkey)
	must(err)
	opened, err := note.Open(q.Note, note.VerifierList(verifier))
	must(err)
	a.Opened = opened.Text

	skey, vkey, err := note.GenerateKey(bytes.NewReader(bytes.Repeat(q.Seed[:], 2)), "go.example/log")
	must(err)
	signer, err := note.NewSigner(skey)
	must(err)
	a.Vkey = vkey
	a.Note, err = note.Sign(&note.Note{Text: string(q.Text)}, signer)
	must(err)

	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(at []int64) ([]tlog.Hash, error) {
		out := make([]tlog.Hash, len(at))
		for i, index := range at {
			out[i] = stored[index]
		}
		return out, nil
	})
	for i, entry := range q.Entries {
		hashes, err := tlog.StoredHashes(int64(i), entry, reader)
		must(err)
		stored = append(stored, hashes...)
	}
	size := int64(len(q.Entries))
	root, err := tlog.TreeHash(size, reader)
	must(err)
	oldRoot, err := tlog.TreeHash(q.Old, reader)
	must(err)
	inclusion, err := tlog.ProveRecord(size, q.Index, reader)
	must(err)
	consistency, err := tlog.ProveTree(size, q.Old, reader)
	must(err)
	a.Root, a.OldRoot = root[:], oldRoot[:]
	a.Inclusion, a.Consistency = list(inclusion), list(consistency)
	for _, tile := range tlog.NewTiles(8, q.Old, size) {
		data, err := tlog.ReadTileData(tile, reader)
		must(err)
		a.Paths = append(a.Paths, tile.Path())
		a.Tiles = append(a.Tiles, data)
	}
	must(json.NewEncoder(os.Stdout).Encode(a))
}
