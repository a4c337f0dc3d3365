import {hex, LETTERS} from './coding.js';
import {ceremony, post, Refused, say, sealed, sign, stepUp} from './passkey.js';

const form = document.querySelector('[data-codes]');

// 120 bits each, as the registry reads them.
function made() {
    const drawn = Array.from(crypto.getRandomValues(new Uint8Array(24)), each => LETTERS[each & 31]).join('');
    return drawn.match(/.{4}/g).join('-');
}

async function digest(code) {
    return hex(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(code)));
}

async function keep(envelope) {
    try {
        await post('/v1/recovery-codes', {envelope});
    } catch (error) {
        if (!(error instanceof Refused && error.type === 'step-up-required')) throw error;
        await stepUp();
        await post('/v1/recovery-codes', {envelope});
    }
}

if (form) ceremony(form, async () => {
    const codes = Array.from({length: 10}, made);
    const digests = await Promise.all(codes.map(digest));
    const drafted = await post(form.getAttribute('action'), {digests});
    const signature = await sign(drafted.challenge, form.dataset.rp, JSON.parse(form.dataset.passkeys));
    await keep(sealed(drafted.payload, drafted.payload_type, signature));
    const shown = form.querySelector('[data-made]');
    shown.querySelector('ol').replaceChildren(...codes.map(code => {
        const item = document.createElement('li');
        item.append(Object.assign(document.createElement('code'), {textContent: code}));
        return item;
    }));
    // What stands above was true of before: there are ten now.
    document.querySelector('[data-left]').textContent = document.querySelector('[data-now]').content.textContent;
    shown.hidden = false;
    shown.focus();
    say();
});
