// Passkeys and the API, for the scripts of single pages. What people read stands in the page, never in here.
const bytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0));
const standard = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer)));
const urlSafe = buffer => standard(buffer).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

export const able = () => Boolean(window.PublicKeyCredential && navigator.credentials);

/** What the service refused: `type` is the end of the problem's type, `status` its status, `message` its detail. */
export class Refused extends Error {
    constructor(problem) {
        super(problem.detail || '');
        this.type = String(problem.type || '').split('/').pop();
        this.status = problem.status;
    }
}

export async function post(path, body, method = 'POST') {
    const headers = {
        'Accept': 'application/json, application/problem+json',
        'Content-Type': 'application/json',
        'Idempotency-Key': `"${crypto.randomUUID()}"`,
    };
    let answer;
    try {
        answer = await fetch(path, {method, headers, body: body === undefined ? undefined : JSON.stringify(body)});
    } catch {
        throw Object.assign(new Error('offline'), {name: 'Offline'});
    }
    const said = await answer.text();
    if (answer.ok) return said ? JSON.parse(said) : {};
    let found = {};
    try {
        found = JSON.parse(said);
    } catch { /* a machine in between has answered, in words of its own */ }
    throw new Refused({...found, status: answer.status});
}

const decoded = (options, names) => {
    const made = {...options, challenge: bytes(options.challenge)};
    for (const name of names) if (made[name]) made[name] = made[name].map(each => ({...each, id: bytes(each.id)}));
    return made;
};

/** Makes a passkey of what `/v1/passkeys/options` said. */
export async function create(options) {
    const asked = decoded(options, ['excludeCredentials']);
    asked.user = {...asked.user, id: bytes(asked.user.id)};
    const made = await navigator.credentials.create({publicKey: asked});
    return {
        credential: urlSafe(made.rawId),
        attestation_object: urlSafe(made.response.attestationObject),
        client_data: urlSafe(made.response.clientDataJSON),
    };
}

/** Uses a passkey to sign in or to step up. */
export async function answer(options) {
    const got = await navigator.credentials.get({publicKey: decoded(options, ['allowCredentials'])});
    return {
        credential: urlSafe(got.rawId),
        authenticator_data: urlSafe(got.response.authenticatorData),
        client_data: urlSafe(got.response.clientDataJSON),
        signature: urlSafe(got.response.signature),
    };
}

/** Signs the statement whose digest is `challenge` with one of `passkeys`, pairs of credential and key id. */
export async function sign(challenge, rpId, passkeys) {
    const allowed = passkeys.map(([id]) => ({type: 'public-key', id: bytes(id)}));
    const got = await navigator.credentials.get({publicKey: {
        challenge: bytes(challenge), rpId, userVerification: 'required', allowCredentials: allowed, timeout: 300000,
    }});
    const used = urlSafe(got.rawId);
    return {
        keyid: passkeys.find(([id]) => id === used)[1],
        sig: standard(got.response.signature),
        webauthn: {
            authenticatorData: standard(got.response.authenticatorData),
            clientDataJSON: standard(got.response.clientDataJSON),
        },
    };
}

export const sealed = (payload, payloadType, signature) => ({payload, payloadType, signatures: [signature]});

export async function stepUp() {
    const {publicKey} = await post('/v1/sessions/step-up/options');
    await post('/v1/sessions/step-up', await answer(publicKey));
}

/**
 * Says one of the page's sentences in its live region; without a name it says nothing. What `exactly` the service has
 * said is English on every page: it stands below, for whoever opens it.
 */
export function say(name, exactly = '') {
    const line = document.querySelector('[data-said]');
    if (!line) return;
    line.hidden = !name;
    line.textContent = (name && document.querySelector(`template[data-say="${name}"]`)?.content.textContent) ?? '';
    const aside = document.querySelector('[data-exactly]');
    aside.hidden = !exactly;
    aside.lastElementChild.textContent = exactly;
}

/** Runs a ceremony for `form`: its button waits meanwhile, and whatever goes wrong is said. */
export function ceremony(form, work, button = form.querySelector('button')) {
    if (!able()) {
        say('unsupported');
        return;
    }
    button.disabled = false;
    form.addEventListener('submit', async event => {
        event.preventDefault();
        button.disabled = true;
        say('waiting');
        try {
            await work(form);
        } catch (error) {
            told(error);
        }
        button.disabled = false;
    });
}

/** Whether `form` asks (`data-fresh`, in seconds since the page came) for a passkey that was just used, and it was not. */
export const stale = form => form.dataset.fresh !== undefined && performance.now() / 1000 > Number(form.dataset.fresh) - 60;

/** Lets the session be raised by a passkey where `form` needs it. */
export async function raise(form) {
    if (!stale(form)) return;
    await stepUp();
    for (const each of document.querySelectorAll('[data-fresh]')) each.dataset.fresh = performance.now() / 1000 + 300;
}

// A signature as a form carries it: fields of these names, one of each for every passkey that signs.
const fields = signature => ({
    keyid: signature.keyid,
    sig: signature.sig,
    authenticator: signature.webauthn.authenticatorData,
    client: signature.webauthn.clientDataJSON,
});

/**
 * Sends `form` once a passkey has signed the very bytes that it carries (its field `payload`), and not before.
 * `data-first` on it names a passkey that signs in front of those of the account, `data-fresh` for how many seconds
 * the session needs no passkey shown first. Nothing is signed while `old()` says that the bytes are.
 */
export function signForm(form, old = () => false) {
    form.addEventListener('submit', async event => {
        const button = event.submitter;
        if (!button?.matches('[data-sign]')) return;
        event.preventDefault();
        if (old()) return;
        if (!able()) return say('unsupported');
        button.disabled = true;
        say('waiting');
        const {rp, passkeys, first} = form.dataset;
        const signers = [first, passkeys].filter(Boolean).map(each => JSON.parse(each));
        const signatures = [];
        try {
            await raise(form);
            for (const each of signers) signatures.push(await sign(form.elements.payload.dataset.challenge, rp, each));
        } catch (error) {
            told(error);
            button.disabled = false;
            return;
        }
        for (const [name, value] of signatures.flatMap(each => Object.entries(fields(each)))) {
            form.append(Object.assign(document.createElement('input'), {type: 'hidden', name, value}));
        }
        // Going back leads to the page before, never to what was posted: a browser would ask whether to send it again.
        const back = form.dataset.back ?? form.querySelector('[data-back]')?.href;
        if (back) history.replaceState(null, '', back);
        form.submit();
    });
}

const REFUSALS = {401: 'barred', 403: 'barred', 404: 'meanwhile', 409: 'meanwhile', 410: 'meanwhile', 429: 'often'};

export function told(error) {
    if (error instanceof Refused) say(REFUSALS[error.status] ?? (error.status < 500 ? 'refused' : 'down'), error.message);
    else if (error.name === 'InvalidStateError' && document.querySelector('template[data-say=known]')) say('known');
    else if (error.name === 'Offline') say('offline');
    else say('cancelled');
}
