// Forms whose effect asks for a passkey that was just used: it is touched first, then the form is sent as it stands.
import {able, say, stepUp, told} from './passkey.js';

for (const form of document.querySelectorAll('form[data-steps]')) form.addEventListener('submit', async event => {
    if (!able()) return; // the session may be fresh: the service says if it is not
    event.preventDefault();
    event.submitter.disabled = true;
    say('waiting');
    try {
        await stepUp();
        form.submit();
    } catch (error) {
        told(error);
        event.submitter.disabled = false;
    }
});
