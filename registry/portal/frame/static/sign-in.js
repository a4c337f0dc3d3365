import {answer, ceremony, post} from './passkey.js';

const form = document.querySelector('[data-sign-in]');

ceremony(form, async () => {
    const {publicKey} = await post('/v1/sessions/options');
    await post('/v1/sessions', await answer(publicKey));
    location.assign(form.dataset.to + location.hash);
});
