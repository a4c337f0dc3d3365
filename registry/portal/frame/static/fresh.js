// Forms that ask for a passkey used just now: it is used once more where that was too long ago, and the form goes on.
import {able, say, stepUp, told} from './passkey.js';

for (const form of document.querySelectorAll('[data-fresh]')) form.addEventListener('submit', async event => {
    if (!able()) return;  // the registry says what is missing
    event.preventDefault();
    say('waiting');
    try {
        await stepUp();
        say('');
        form.submit();
    } catch (error) {
        told(error);
    }
});
