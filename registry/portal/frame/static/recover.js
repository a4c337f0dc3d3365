import {ceremony, create, post, say, sealed, sign} from './passkey.js';

const form = document.querySelector('[data-recover]');

ceremony(form, async () => {
    const account = form.elements.account.value.trim();
    const code = form.elements.code.value.trim().toLowerCase();
    const {publicKey} = await post('/v1/passkeys/options', {name: account});
    const made = await create(publicKey);
    const drafted = await post(`${form.getAttribute('action')}/draft`, {account, ...made});
    say('step');
    const signature = await sign(drafted.challenge, publicKey.rp.id, [[made.credential, drafted.keyid]]);
    const envelope = sealed(drafted.payload, drafted.payload_type, signature);
    location.assign((await post(form.getAttribute('action'), {account, code, envelope})).to);
});
