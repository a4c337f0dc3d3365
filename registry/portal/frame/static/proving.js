// What proves the log, in a browser and with nothing but WebCrypto: RFC 6962 trees, and notes, checkpoints, tiles and
// proofs as C2SP writes them. Nothing here knows a page. Sizes are numbers below 2^53; larger ones are refused.
export const WIDTH = 256;
const HASH = 32;
const text = new TextEncoder();

/** What is not as it must be: `what` names the sentence that says so, `values` is what stands in it. */
export class Wrong extends Error {
    constructor(what, values = {}) {
        super(what);
        this.what = what;
        this.values = values;
    }
}

export const utf8 = said => text.encode(said);
export const hex = bytes => Array.from(bytes, each => each.toString(16).padStart(2, '0')).join('');
export const base64 = bytes => btoa(Array.from(bytes, each => String.fromCharCode(each)).join(''));
export const same = (one, other) => one.length === other.length && one.every((each, at) => each === other[at]);

/** The bytes of padded base64 in its one spelling. */
export function bytesOf(said) {
    let bytes;
    try {
        bytes = Uint8Array.from(atob(said), each => each.charCodeAt(0));
    } catch {
        throw new Wrong('malformed');
    }
    if (base64(bytes) !== said) throw new Wrong('malformed');
    return bytes;
}

export function joined(...parts) {
    const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
    let at = 0;
    for (const part of parts) {
        whole.set(part, at);
        at += part.length;
    }
    return whole;
}

export const sha256 = async (...parts) => new Uint8Array(await crypto.subtle.digest('SHA-256', joined(...parts)));
export const leafHash = entry => sha256(Uint8Array.of(0), entry);
export const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);

// -- trees -----------------------------------------------------------------------------------------------------------

// Coordinates of the nodes of a proof from [level, index] up: `last` is the last node of that level.
function* siblings(level, index, last) {
    for (; last > 0; level++, index = Math.floor(index / 2), last = Math.floor(last / 2)) {
        const other = index % 2 ? index - 1 : index + 1;
        if (other <= last) yield [level, other];
    }
}

/** Which nodes prove leaf `index` in a tree of `size`, the leaf's own neighbour first. */
export const inclusionPath = (index, size) => Array.from(siblings(0, index, size - 1));

/** Which nodes prove that a tree of `size` begins with its first `old`; the first is where both still agree. */
export function consistencyPath(old, size) {
    let level = 0, index = old - 1, last = size - 1;
    for (; index % 2; level++) {
        index = Math.floor(index / 2);
        last = Math.floor(last / 2);
    }
    return [[level, index], ...siblings(level, index, last)];
}

const counts = number => Number.isSafeInteger(number) && number >= 0;
const hashes = all => all.every(each => each.length === HASH);

/** The root that `proof` leads to from leaf `index` of `size`; whether it is the right one is for a signature to say. */
export async function rootOf(leaf, index, size, proof) {
    if (!counts(index) || !counts(size) || index >= size || !hashes([leaf, ...proof])) throw new Wrong('malformed');
    const path = inclusionPath(index, size);
    if (path.length !== proof.length) throw new Wrong('path');
    let found = leaf;
    for (const [step, [, at]] of path.entries()) {
        found = at % 2 ? await nodeHash(found, proof[step]) : await nodeHash(proof[step], found);
    }
    return found;
}

export async function verifyInclusion(leaf, index, size, proof, root) {
    if (!same(await rootOf(leaf, index, size, proof), root)) throw new Wrong('path');
}

/** Returns once the tree of `size` with `root` begins with all of the tree of `old` with `oldRoot`. */
export async function verifyConsistency(old, size, oldRoot, root, proof) {
    if (!counts(old) || !counts(size) || !hashes([oldRoot, root, ...proof])) throw new Wrong('malformed');
    if (!old || old > size) throw new Wrong('malformed');
    if (old === size) {
        if (proof.length) throw new Wrong('malformed');
        if (!same(oldRoot, root)) throw new Wrong('forked');
        return;
    }
    const [[, start], ...path] = consistencyPath(old, size);
    const nodes = start ? proof : [oldRoot, ...proof];  // the old tree is a node of the new one: it is not sent
    if (nodes.length !== path.length + 1) throw new Wrong('malformed');
    let before = nodes[0], after = nodes[0];
    for (const [step, [, at]] of path.entries()) {
        const node = nodes[step + 1];
        if (at % 2) after = await nodeHash(after, node);
        else [before, after] = [await nodeHash(node, before), await nodeHash(node, after)];
    }
    if (!same(before, oldRoot) || !same(after, root)) throw new Wrong('regrown');
}

// -- tiles -----------------------------------------------------------------------------------------------------------

/** Where a tile, or with the level `entries` a bundle of entries, is below the log's address. */
export function tilePath(level, index, width = WIDTH) {
    const digits = String(index);
    const parts = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/.../g);
    const place = parts.map((part, at) => at < parts.length - 1 ? `x${part}` : part).join('/');
    return `tile/${level}/${place}${width === WIDTH ? '' : `.p/${width}`}`;
}

/** A tree of `size` entries read from tiles by `read(path, whole)`; believed only where a signed root bears it out. */
export class Tiles {
    constructor(size, read) {
        this.size = size;
        this.read = read;
        this.kept = new Map();
    }

    tile(level, index) {
        const of = level === 'entries' ? this.size : Math.floor(this.size / WIDTH ** level);
        const width = Math.min(WIDTH, of - index * WIDTH);
        const path = tilePath(level, index, width);
        if (!this.kept.has(path)) this.kept.set(path, this.read(path, tilePath(level, index)));
        return this.kept.get(path);
    }

    /** The bytes of entry `index` as the log publishes them. */
    async entry(index) {
        const bundle = await this.tile('entries', Math.floor(index / WIDTH));
        for (let at = 0, left = index % WIDTH; at + 2 <= bundle.length; left--) {
            const end = at + 2 + 256 * bundle[at] + bundle[at + 1];
            if (!left) return bundle.slice(at + 2, end);
            at = end;
        }
        throw new Wrong('tile');
    }

    async full(level, index) {
        const within = level % 8, wide = 2 ** within, of = WIDTH / wide;
        const tile = await this.tile(Math.floor(level / 8), Math.floor(index / of));
        const from = (index % of) * wide;
        let row = [];
        for (let at = from; at < from + wide; at++) row.push(tile.slice(at * HASH, (at + 1) * HASH));
        if (!hashes(row)) throw new Wrong('tile');
        while (row.length > 1) {
            row = await Promise.all(row.filter((_, at) => at % 2 === 0).map((left, at) => nodeHash(left, row[2 * at + 1])));
        }
        return row[0];
    }

    /** The root over the leaves from `start` up to the end of the tree: a node at its ragged right edge. */
    async edge(start) {
        const found = [];
        while (start < this.size) {
            let level = 0;
            while (2 ** (level + 1) <= this.size - start) level++;
            found.push(await this.full(level, start / 2 ** level));
            start += 2 ** level;
        }
        let root = found.pop();
        while (found.length) root = await nodeHash(found.pop(), root);
        return root;
    }

    node([level, index]) {
        return (index + 1) * 2 ** level <= this.size ? this.full(level, index) : this.edge(index * 2 ** level);
    }

    inclusionProof(index) {
        return Promise.all(inclusionPath(index, this.size).map(each => this.node(each)));
    }

    consistencyProof(old) {
        if (old === this.size) return Promise.resolve([]);
        const [first, ...path] = consistencyPath(old, this.size);
        return Promise.all((first[1] ? [first, ...path] : path).map(each => this.node(each)));
    }
}

// -- notes -----------------------------------------------------------------------------------------------------------

/** A signed note (C2SP): its text, and its lines by name, key id in hex, and signature; nothing is verified. */
export function readNote(whole) {
    const cut = whole.lastIndexOf('\n\n');
    if (cut < 0 || !whole.endsWith('\n') || /[\x00-\x09\x0b-\x1f]/.test(whole)) throw new Wrong('malformed');
    const lines = whole.slice(cut + 2, -1).split('\n').map(line => {
        const parts = /^\u2014 ([^\s+]+) (\S+)$/.exec(line);
        const bytes = parts && bytesOf(parts[2]);
        if (!bytes || bytes.length < 5) throw new Wrong('malformed');
        return {name: parts[1], id: hex(bytes.slice(0, 4)), value: bytes.slice(4)};
    });
    return {text: whole.slice(0, cut + 1), lines};
}

/** A checkpoint (C2SP) with the note that it stands in; extension lines, which nobody could audit, are refused. */
export function readCheckpoint(whole) {
    const note = readNote(whole);
    const [origin, size, root, ...rest] = note.text.split('\n');
    if (rest.length !== 1 || rest[0] || !/^(0|[1-9]\d*)$/.test(size) || !Number.isSafeInteger(Number(size))) {
        throw new Wrong('malformed');
    }
    const found = {note, whole, origin, size: Number(size), root: bytesOf(root)};
    if (!origin || found.root.length !== HASH) throw new Wrong('malformed');
    return found;
}

/** A proof file (C2SP tlog-proof): index, hashes, and the checkpoint that they lead to. */
export function readProof(whole) {
    const cut = whole.indexOf('\n\n');
    const [head, ...lines] = whole.slice(0, cut).split('\n');
    if (cut < 0 || head !== 'c2sp.org/tlog-proof@v1') throw new Wrong('malformed');
    if (lines[0]?.startsWith('extra ')) lines.shift();
    const index = /^index (0|[1-9]\d*)$/.exec(lines.shift() ?? '');
    if (!index) throw new Wrong('malformed');
    return {index: Number(index[1]), hashes: lines.map(bytesOf), checkpoint: readCheckpoint(whole.slice(cut + 2))};
}

/** The key id (4 bytes, in hex) of an Ed25519 key under a name. */
export const keyId = async (name, key) => hex((await sha256(utf8(`${name}\n`), Uint8Array.of(1), key)).slice(0, 4));

/** Whether the Ed25519 signature holds; undefined where this browser cannot tell. */
export async function holds(key, signature, message) {
    let imported;
    try {
        imported = await crypto.subtle.importKey('raw', key, {name: 'Ed25519'}, false, ['verify']);
    } catch (error) {
        if (error.name === 'NotSupportedError') return undefined;
        return false;  // not a key at all
    }
    return crypto.subtle.verify({name: 'Ed25519'}, imported, signature, message);
}
