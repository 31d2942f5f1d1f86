// A thumbnail brings its picture into the frame without moving the page.
for (const thumbnail of document.querySelectorAll(".gallery__thumbnail")) {
    thumbnail.addEventListener("click", (event) => {
        const picture = document.querySelector(thumbnail.hash);
        event.preventDefault();
        picture.parentElement.scrollTo({ left: picture.offsetLeft });
        picture.parentElement.focus({ preventScroll: true });
    });
}
