// A link that is to be handed on: copied by a button where a browser can, and marked to be copied where it may not.
for (const place of document.querySelectorAll('[data-copies]')) {
    const text = place.querySelector('code'), button = place.querySelector('button');
    const says = name => place.querySelector(`[data-${name}]`).content.textContent;
    button.hidden = !navigator.clipboard;
    button.addEventListener('click', async () => {
        const status = place.querySelector('[role=status]');
        status.textContent = '';
        try {
            await navigator.clipboard.writeText(text.textContent);
            status.textContent = says('copied');
        } catch {
            getSelection().selectAllChildren(text);
            status.textContent = says('marked');
        }
    });
}
