import {ceremony, create, post, Refused, say, sealed, sign} from './passkey.js';

const form = document.querySelector('[data-recover]');

ceremony(form, async () => {
    const account = form.elements.account.value.trim();
    const code = form.elements.code.value.trim().toLowerCase();
    const {publicKey} = await post('/v1/passkeys/options', {name: account});
    const made = await create(publicKey);
    const path = form.getAttribute('action');
    try {
        const drafted = await post(`${path}/draft`, {account, ...made});
        say('step');
        const signature = await sign(drafted.challenge, publicKey.rp.id, [[made.credential, drafted.keyid]]);
        const envelope = sealed(drafted.payload, drafted.payload_type, signature);
        location.assign((await post(path, {account, code, envelope})).to);
    } catch (error) {
        if (!(error instanceof Refused) || ![400, 403].includes(error.status)) throw error;
        say('code', error.message);
    }
});
