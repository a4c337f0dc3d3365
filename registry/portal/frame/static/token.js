import {ceremony, post, say, stepUp} from './passkey.js';

const form = document.querySelector('[data-token]');

ceremony(form, async () => {
    const scopes = Array.from(form.querySelectorAll('[name=scopes]:is(:checked, [type=hidden])'), each => each.value);
    if (!scopes.length) return say('scopes');
    await stepUp();
    const made = await post('/v1/tokens', {scopes, expires_in_days: Number(form.elements.days.value)});
    const shown = form.querySelector('[data-made]');
    for (const each of document.querySelectorAll('output[data-secret]')) each.textContent = made.token;
    shown.hidden = false;
    shown.focus();
    say();
});

for (const each of document.querySelectorAll('[data-ends]')) ceremony(each, async () => {
    await stepUp();
    each.submit();
});
