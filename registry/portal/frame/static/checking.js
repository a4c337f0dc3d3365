// The log held to its proofs, step by step: `say(state, name, values)` hears of each what came of it, `good`, `open`
// (not checked) or `bad`. The first thing that is wrong ends it. What a visitor keeps of a log is one checkpoint and
// the root key that it was checked under.
import {
    Tiles, WIDTH, Wrong, base64, bytesOf, hex, holds, joined, keyId, leafHash, readCheckpoint, readProof, same, sha256,
    tilePath, utf8, verifyConsistency, verifyInclusion,
} from './proving.js';

const PUBLIC = ['registry-key', 'registry-key-revoke', 'snapshot', 'period-close'];  // their commitments have no salt
const CONTRADICTS = ['shrank', 'forked', 'regrown'];
const LOGS = /^application\/vnd\.licet\.(registry-key(?:-revoke)?)\+json$/;

/** The log at the address `base` of the registry `origin` whose root key is `root` (hex). */
export class Log {
    constructor(base, origin, root, say) {
        Object.assign(this, {base, origin, root, say, able: true, unsigned: false});
    }

    async get(path, missing) {
        let answer;
        try {
            answer = await fetch(this.base + path, {cache: path.startsWith('tile/') ? 'default' : 'no-store'});
        } catch {
            throw new Wrong('unreached', {path});
        }
        if (answer.status === 404 && missing) return null;
        if (!answer.ok) throw new Wrong('unreached', {path});
        return answer;
    }

    // A tile that was partial is kept only until it is full.
    async tile(path, whole) {
        const found = await this.get(path, path !== whole) ?? await this.get(whole);
        return new Uint8Array(await found.arrayBuffer());
    }

    tree(size) {
        return new Tiles(size, (path, whole) => this.tile(path, whole));
    }

    /** The log's keys, each named in a statement that the root has signed, with the sizes that it signs. */
    async keys() {
        const placed = await (await this.get('keys')).json();
        const root = bytesOfHex(this.root);
        const mine = hex(await sha256(root));
        const found = new Map();
        for (const {index, envelope} of placed) {
            const kind = LOGS.exec(envelope.payloadType)?.[1];
            const body = bytesOf(envelope.payload);
            const said = JSON.parse(new TextDecoder().decode(body));
            const [signature, ...more] = envelope.signatures;
            const signed = utf8(`DSSEv1 ${envelope.payloadType.length} ${envelope.payloadType} ${body.length} `);
            if (!kind || more.length || said.type !== kind || said.registry.origin !== this.origin) throw new Wrong('keys');
            if (said.registry.key !== mine || signature.keyid !== mine) throw new Wrong('keys');
            const good = await holds(root, bytesOf(signature.sig), joined(signed, body));
            if (good === false) throw new Wrong('keys');
            if (good === undefined) this.able = false;
            if (kind === 'registry-key-revoke') {
                if (found.has(said.keyid)) found.get(said.keyid).until = index;
            } else if (said.purpose === 'log') {
                const key = bytesOfHex(said.key.public);
                // Nobody could have signed the empty tree but the first key.
                const since = found.size ? index + 1 : 0;
                found.set(hex(await sha256(key)), {key, id: await keyId(this.origin, key), since, until: Infinity});
            }
        }
        return Array.from(found.values());
    }

    /** Returns once a key of the log that counts at its size has signed `checkpoint`. */
    async signed(checkpoint, keys, name = 'signature') {
        if (checkpoint.origin !== this.origin) throw new Wrong('origin', {origin: checkpoint.origin});
        const counting = keys.filter(key => key.since <= checkpoint.size && checkpoint.size <= key.until);
        let by;
        for (const line of checkpoint.note.lines) {
            const key = line.name === this.origin && counting.find(each => each.id === line.id);
            if (!key) continue;
            const good = await holds(key.key, line.value, utf8(checkpoint.note.text));
            if (good === false) throw new Wrong('signature', {id: key.id});
            by = key;
            if (good === undefined) this.able = false;
        }
        if (!by) throw new Wrong('unsigned');
        if (this.able) this.say('good', name, {id: by.id, size: checkpoint.size});
        else this.say('open', 'signature', {});
    }

    /** The newest checkpoint, under a key that the root has named. `known` is the root key of earlier visits. */
    async newest(known) {
        if (known !== undefined && known !== this.root) throw new Wrong('root', {old: known, key: this.root});
        const digest = hex(await sha256(bytesOfHex(this.root)));
        this.say('good', known === undefined ? 'root_first' : 'root', {key: this.root, digest});
        const checkpoint = readCheckpoint(await (await this.get('checkpoint')).text());
        const keys = await this.keys();
        this.say(this.able ? 'good' : 'open', 'keys', {n: keys.length});
        await this.signed(checkpoint, keys);
        return {checkpoint, keys};
    }

    /** Returns once the entry at `index` is `entry` and the tree of `checkpoint` holds it. */
    async holds(index, entry, checkpoint) {
        if (index >= checkpoint.size) throw new Wrong('beyond', {index, size: checkpoint.size});
        const tree = this.tree(checkpoint.size);
        const published = await tree.entry(index);
        if (!same(published, entry)) throw new Wrong('entry', {index});
        const leaf = await leafHash(entry);
        this.say('good', 'leaf', {index, hash: hex(leaf)});
        await verifyInclusion(leaf, index, checkpoint.size, await tree.inclusionProof(index), checkpoint.root);
        this.say('good', 'path', {root: base64(checkpoint.root), size: checkpoint.size});
    }

    /** Returns once the log of `newer` begins with all of the log of `older`, whose signature was checked. */
    async grew(older, newer, name, values = {}) {
        const told = {...values, old: older.size, size: newer.size};
        try {
            await this.follows(older, newer, told);
        } catch (error) {
            if (!CONTRADICTS.includes(error.what)) throw error;
            // Only two checkpoints that are both known to be signed are evidence.
            if (!this.able) throw new Wrong('unsure', told);
            throw Object.assign(error, {evidence: [older.whole, newer.whole]});
        }
        this.say('good', older.size === newer.size ? `${name}_same` : name, told);
    }

    async follows(older, newer, told) {
        if (older.size > newer.size) throw new Wrong('shrank', told);
        if (older.size === newer.size && !same(older.root, newer.root)) throw new Wrong('forked', told);
        if (older.size && older.size < newer.size) {
            const proof = await this.tree(newer.size).consistencyProof(older.size);
            await verifyConsistency(older.size, newer.size, older.root, newer.root, proof);
        }
    }
}

/** The whole check of a page: the newest checkpoint, an entry where there is one, and what was kept. */
export async function check(log, {kept, index, entry}) {
    const {checkpoint} = await log.newest(kept?.root);
    if (index !== undefined) await log.holds(index, entry, checkpoint);
    if (kept) await grewSince(log, kept, checkpoint);
    else if (log.able) log.say('open', 'first', {size: checkpoint.size});
    else log.say('open', 'unkept', {});
    return toKeep(log, checkpoint);
}

const grewSince = (log, kept, checkpoint) =>
    log.grew(readCheckpoint(kept.checkpoint), checkpoint, 'grew', {when: kept.when});

// Nothing is kept of a checkpoint whose signature could not be checked: later it would accuse a log that is right.
const toKeep = (log, checkpoint) => log.able ? {root: log.root, checkpoint: checkpoint.whole} : undefined;

/** The check of what somebody holds in hand: a statement with its proof, a receipt, a proof file or a checkpoint. */
export async function checkHeld(log, kept, said) {
    const held = read(said);
    log.say('good', `is_${held.is}`, {kind: held.kind ?? '', index: held.proof?.index ?? 0, size: held.checkpoint.size});
    const {checkpoint, keys} = await log.newest(kept?.root);
    if (held.envelope) await commits(log, held);
    await log.signed(held.checkpoint, keys, 'signature_held');
    if (held.proof) {
        const {index, hashes} = held.proof;
        const entry = held.entry ?? await log.tree(held.checkpoint.size).entry(index);
        const leaf = await leafHash(entry);
        log.say('good', 'leaf', {index, hash: hex(leaf)});
        await verifyInclusion(leaf, index, held.checkpoint.size, hashes, held.checkpoint.root);
        log.say('good', 'path', {root: base64(held.checkpoint.root), size: held.checkpoint.size});
    }
    await log.grew(held.checkpoint, checkpoint, 'held');
    if (kept) await grewSince(log, kept, checkpoint);
    if (held.envelope) {
        log.unsigned = true;
        log.say('open', 'signer', {});
    }
    return toKeep(log, checkpoint);
}

async function commits(log, {envelope, entry, salt, kind}) {
    const stated = JSON.parse(new TextDecoder().decode(entry));
    const digest = await sha256(utf8(canonical(envelope)));
    const own = PUBLIC.includes(kind) ? digest : await sha256(utf8(`licet/${kind}/v1`), salt, digest);
    if (stated.kind !== kind || stated.commitment !== hex(own)) throw new Wrong('commits');
    log.say('good', 'code', {code: hex(await sha256(bytesOf(envelope.payload)))});
    log.say('good', 'commits', {hash: stated.commitment, time: stated.time});
}

// Which of the four things that can be checked `said` is.
function read(said) {
    if (/^\s*\{/.test(said)) {
        let found;
        try {
            found = JSON.parse(said);
        } catch {
            throw new Wrong('unread');
        }
        if (typeof found.proof !== 'string' || typeof found.entry !== 'string') throw new Wrong('unread');
        const proof = readProof(found.proof), entry = bytesOf(found.entry);
        const {envelope} = found, salt = found.salt ? bytesOf(found.salt) : new Uint8Array();
        // What a receipt is for is in the entry, which the log proves; what is written beside it must be the same.
        const stated = kindOf(entry);
        const kind = envelope ? /^application\/vnd\.licet\.([a-z-]+)\+json$/.exec(envelope.payloadType)?.[1] : stated;
        if (kind !== stated || (found.kind ?? stated) !== stated) throw new Wrong('commits');
        return {is: envelope ? 'statement' : 'receipt', envelope, salt, entry, proof, kind, checkpoint: proof.checkpoint};
    }
    if (said.startsWith('c2sp.org/tlog-proof@v1\n')) {
        const proof = readProof(said);
        return {is: 'proof', proof, checkpoint: proof.checkpoint};
    }
    if (said.includes('\n\n\u2014 ')) return {is: 'checkpoint', checkpoint: readCheckpoint(said)};
    throw new Wrong('unread');
}

function kindOf(entry) {
    try {
        return JSON.parse(new TextDecoder().decode(entry)).kind;
    } catch {
        throw new Wrong('unread');
    }
}

// RFC 8785, as far as envelopes need it: objects, lists and strings.
function canonical(value) {
    if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    return `{${Object.keys(value).sort().map(name => `${JSON.stringify(name)}:${canonical(value[name])}`).join(',')}}`;
}

const bytesOfHex = said => Uint8Array.from(said.match(/../g) ?? [], each => parseInt(each, 16));
