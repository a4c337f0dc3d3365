// Pictures on their way: the upload with its progress, and registering. Sending either again has no second effect.
import {post, Refused} from './passkey.js';

const SILENT = 150_000;  // milliseconds without a byte moved, after which the line counts as lost

/** Nothing is wrong with the picture: it has to wait. `why`: offline, busy (for `seconds`), or signin. */
export class Held extends Error {
    constructor(why, seconds = 10) {
        super(why);
        Object.assign(this, {why, seconds});
    }
}

const refusal = (status, problem, seconds) => {
    if (status === 401) return new Held('signin');
    if (status === 429 || status >= 500) return new Held('busy', seconds || 20);
    return Object.assign(new Refused(problem), {status});
};

/** Sends `file`; returns the fingerprint that was made of it, or throws `Held` or `Refused`. */
export function upload(sha, file, moved) {
    return new Promise((resolve, reject) => {
        const request = new XMLHttpRequest();
        let timer;
        const alive = () => {
            clearTimeout(timer);
            timer = setTimeout(() => request.abort(), SILENT);
        };
        const lost = () => reject(new Held('offline'));
        request.open('PUT', `/v1/uploads/${sha}`);
        request.setRequestHeader('Accept', 'application/json, application/problem+json');
        request.setRequestHeader('Content-Type', 'application/octet-stream');
        request.upload.onprogress = event => {
            alive();
            moved(event.loaded);
        };
        request.onerror = request.onabort = lost;
        request.onloadend = () => clearTimeout(timer);
        request.onload = () => {
            let said = {};
            try {
                said = JSON.parse(request.responseText);
            } catch { /* not from us: judged by its status */ }
            if (request.status === 200 || request.status === 201) resolve(said);
            else reject(refusal(request.status, said, Number(request.getResponseHeader('Retry-After'))));
        };
        alive();
        request.send(file);
    });
}

async function asked(path, body) {
    try {
        return await post(path, body);
    } catch (error) {
        if (error.name === 'Offline') throw new Held('offline');
        if (error instanceof Refused) throw refusal(error.status, {detail: error.message}, 0);
        throw new Held('busy');
    }
}

// As `licet.wire.metadata` takes a title: 300 characters, none that nobody sees (`licet.characters`).
const UNSEEN = /(?![\u200c\u200d\p{VS}])[\p{Cc}\p{Cs}\p{Co}\p{DI}\u2028\u2029\ufff9-\ufffb]/gu;
const JOINER = /([^\x00-\xbf\u2000-\u206f])?[\u200c\u200d](?=([^\x00-\xbf\u2000-\u206f])?)/gu;
const seen = name => name.normalize('NFC').replace(UNSEEN, '')
    .replace(JOINER, (joined, before, after) => before && after ? joined : before ?? '');
const titled = name => seen(Array.from(seen(name)).slice(0, 300).join(''));

/** Registers `rows` in `mode`; returns what became of each, in their order. */
export async function register(rows, mode) {
    const works = rows.map(({work, sha, title, iscc}) => ({
        work, mode, sha256: sha, title: titled(title), ...mode === 'upload' && iscc ? {iscc} : {},
    }));
    return (await asked('/v1/works', {works})).items;
}

/** Those of one's own works that have one of the files `sha256`, or one of the names `works`. */
export async function known(wanted) {
    return (await asked('/v1/works/find', wanted)).works;
}
