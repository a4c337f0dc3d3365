// Statements about a team's keys: what a link brought is looked at, and what the page shows is signed by a passkey.
import {ceremony, post, Refused, say, sign, stepUp} from './passkey.js';

const look = document.querySelector('[data-look]');
// What stands behind the # never travels by itself: it is put into the form, and shown before anything is signed.
if (look && location.hash.length > 1) {
    look.elements.request.value = location.hash.slice(1);
    history.replaceState(null, '', location.pathname);
    look.requestSubmit();
}

const form = document.querySelector('[data-statement]');
const taken = async envelope => {
    try {
        await post(form.dataset.path, {envelope});
    } catch (error) {
        if (!(error instanceof Refused) || error.type !== 'step-up-required') throw error;
        await stepUp();
        await post(form.dataset.path, {envelope});
    }
};

if (form) ceremony(form, async () => {
    const {challenge, rp, passkeys, envelope, to} = form.dataset;
    const whole = JSON.parse(envelope);
    whole.signatures.push(await sign(challenge, rp, JSON.parse(passkeys)));
    try {
        await taken(whole);
    } catch (error) {
        if (error instanceof Refused && error.type === 'conflict') return say('changed');
        throw error;
    }
    location.assign(to);
});
