// An auditor's or operator's passkey, by the secret of an invitation: it stands behind the # and is sent to nobody else.
import {ceremony, create, post, Refused, say} from './passkey.js';

const form = document.querySelector('[data-invited]');
const secret = location.hash.slice(1) || history.state?.secret;
if (secret) history.replaceState({secret}, '', location.pathname); // no address shows it, and loading the page anew keeps it

ceremony(form, async () => {
    const path = form.getAttribute('action');
    if (!secret) return say('invitation');
    try {
        const {publicKey} = await post(`${path}/options`, {secret});
        location.assign((await post(path, {secret, ...await create(publicKey)})).to);
    } catch (error) {
        if (error instanceof Refused && error.status === 403) return say('invitation');
        throw error;
    }
});
