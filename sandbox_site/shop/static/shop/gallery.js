// A thumbnail brings its picture into the frame without moving the page.
for (const thumbnail of document.querySelectorAll(".gallery__thumbnail")) {
    thumbnail.addEventListener("click", (event) => {
        event.preventDefault();
        const slide = document.querySelector(thumbnail.hash);
        slide.parentElement.scrollTo({ left: slide.offsetLeft });
    });
}
