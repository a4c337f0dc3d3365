// Every statement on this page is signed by a passkey before its form is sent.
import {signForm} from './passkey.js';

for (const form of document.querySelectorAll('[data-signs]')) signForm(form);
