// Somebody joins a team: the secret of the invitation stands behind the # and is sent to nobody but us, to ask with it.
import {ceremony, create, post, Refused, say, sealed, sign} from './passkey.js';

const form = document.querySelector('[data-member]');
const again = document.querySelector('[data-again]');
const path = form.getAttribute('action');
const secret = location.hash.slice(1) || history.state?.secret;
if (secret) history.replaceState({secret}, '', location.pathname); // no address shows it, and loading the page anew keeps it

// Read aloud four by four; whoever copies them gets them in one piece.
const fours = code => (code.match(/.{4}/g) ?? []).map(text => Object.assign(document.createElement('span'), {textContent: text}));

const shows = seen => {
    const {state, stale, key_class: held, team = '', keyid} = seen;
    const now = state === 'open' && held === 'delegate' ? 'program' : state === 'asked' && stale ? 'stale' : state;
    for (const each of document.querySelectorAll('[data-is]')) each.hidden = !each.dataset.is.split(' ').includes(now);
    for (const each of document.querySelectorAll('[data-team]')) each.textContent = team;
    for (const each of document.querySelectorAll('[data-code]')) each.replaceChildren(...fours((keyid ?? '').slice(0, 16)));
};

const asks = async (draft, rp, credential) => {
    say('step');
    const signature = await sign(draft.challenge, rp, [[credential, draft.keyid]]);
    const envelope = sealed(draft.payload, draft.payload_type, signature);
    shows(await post('/v1/invitations/ask', {secret, envelope}));
    say();
};

const ceremonies = [
    [form, async () => {
        const {publicKey} = await post(`${path}/options`, {secret});
        const made = await create(publicKey);
        await asks(await post(`${path}/draft`, {secret, ...made}), publicKey.rp.id, made.credential);
    }],
    [again, async () => {
        const {draft, rp, credential} = await post(`${path}/again`, {secret});
        await asks(draft, rp, credential);
    }],
];
for (const [each, work] of ceremonies) ceremony(each, async () => {
    try {
        await work();
    } catch (error) {
        if (!(error instanceof Refused)) throw error;
        // It may have been used or taken back meanwhile: what became of it says more.
        const seen = await post('/v1/invitations/open', {secret});
        if (seen.state === 'open') throw error;
        say();
        shows(seen);
    }
});

try {
    shows(secret ? await post('/v1/invitations/open', {secret}) : {state: 'unknown'});
} catch (error) {
    shows({state: error instanceof Refused && error.status < 500 ? 'unknown' : 'offline'});
}
