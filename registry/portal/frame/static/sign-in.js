import {answer, ceremony, post, Refused, say} from './passkey.js';

const form = document.querySelector('[data-sign-in]');

ceremony(form, async () => {
    const {publicKey} = await post('/v1/sessions/options');
    const given = await answer(publicKey);
    try {
        await post('/v1/sessions', given);
    } catch (error) {
        if (error instanceof Refused && error.status === 403) return say('stranger');
        throw error;
    }
    location.assign(form.dataset.to + location.hash);
});
