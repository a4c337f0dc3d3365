// Forms that ask for a passkey which was just used, and sign nothing: it is asked for first where it has to be.
import {able, raise, say, stale, told} from './passkey.js';

for (const form of document.querySelectorAll('[data-fresh]')) form.addEventListener('submit', async event => {
    if (!stale(form)) return;
    event.preventDefault();
    if (!able()) return say('unsupported');
    say('waiting');
    try {
        await raise(form);
        say();
        form.submit();
    } catch (error) {
        told(error);
    }
});
