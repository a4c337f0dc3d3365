import {ceremony, create, post, Refused, say, sealed, sign} from './passkey.js';

const form = document.querySelector('[data-join]');

ceremony(form, async () => {
    const name = form.elements.name.value.trim();
    if (!name) return say('name');
    const {publicKey} = await post('/v1/passkeys/options', {name, kind: form.dataset.kind});
    const made = await create(publicKey);
    const drafted = await post('/v1/passkeys', made);
    say('step');
    const signature = await sign(drafted.challenge, publicKey.rp.id, [[made.credential, drafted.keyid]]);
    const envelope = sealed(drafted.payload, drafted.payload_type, signature);
    try {
        location.assign((await post(form.getAttribute('action'), {name, envelope})).to);
    } catch (error) {
        if (error instanceof Refused && error.type === 'conflict') return say('exists');
        throw error;
    }
});
