// Signing what stands on the page: the passkey signs the digest of the very bytes that the form carries.
import {say, signForm} from './passkey.js';
import {swapper} from './swap.js';

const form = document.querySelector('#terms');
const place = form.querySelector('.choose');
const swap = swapper(form, place?.dataset.path, '#view');
let waiting;

const mark = value => form.classList.toggle('changed', value);

// A choice makes the text old until the new one is here; without an answer it stays old, and nothing can be signed.
function changed(delay) {
    mark(true);
    clearTimeout(waiting);
    waiting = setTimeout(async () => {
        try {
            await swap();
            mark(false);
        } catch (error) {
            if (error.name !== 'AbortError') say('offline');
        }
    }, delay);
}
place?.addEventListener('change', event => {
    // What was typed was heard of already: leaving the field for the button must not make the text old again.
    if (event.target.type !== 'text') changed(0);
});
place?.addEventListener('input', event => {
    if (event.target.type === 'text') changed(500);
});

signForm(form, () => form.classList.contains('changed'));
