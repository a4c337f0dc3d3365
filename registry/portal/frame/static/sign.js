// Signing what stands on the page: the passkey signs the digest of the very bytes that the form carries.
import {able, say, sign, told} from './passkey.js';
import {swapper} from './swap.js';

const form = document.querySelector('#terms');
const place = form.querySelector('.choose');
const swap = swapper(form, place?.dataset.path, '#view');
let waiting;

const mark = value => form.classList.toggle('changed', value);

// A choice makes the text old until the new one is here; without an answer it stays old, and nothing can be signed.
function changed(delay) {
    mark(true);
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
        try {
            await swap();
            mark(false);
        } catch (error) {
            if (error.name !== 'AbortError') say('offline');
        }
    }, delay);
}
place?.addEventListener('change', () => changed(0));
place?.addEventListener('input', event => {
    if (event.target.type === 'text') changed(500);
});

form.addEventListener('submit', async event => {
    const button = event.submitter;
    if (!button?.matches('[data-sign]')) return;
    event.preventDefault();
    if (form.classList.contains('changed')) return;
    if (!able()) return say('unsupported');
    button.disabled = true;
    say('waiting');
    try {
        const signature = await sign(
            form.elements.payload.dataset.challenge, form.dataset.rp, JSON.parse(form.dataset.passkeys));
        const fields = {
            keyid: signature.keyid,
            sig: signature.sig,
            authenticator: signature.webauthn.authenticatorData,
            client: signature.webauthn.clientDataJSON,
        };
        for (const [name, value] of Object.entries(fields)) {
            form.append(Object.assign(document.createElement('input'), {type: 'hidden', name, value}));
        }
        form.submit();
    } catch (error) {
        told(error);
        button.disabled = false;
    }
});
