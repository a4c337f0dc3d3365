// A passkey on another device: made here, then shown on a page with what it and one of the account's own have to sign.
import {ceremony, create, post} from './passkey.js';

const form = document.querySelector('[data-new-key]');

if (form) ceremony(form, async () => {
    const {publicKey} = await post('/v1/passkeys/options', {name: form.dataset.name});
    const drafted = await post('/v1/passkeys', await create(publicKey));
    form.elements.payload.value = drafted.payload;
    form.submit();
});
