"""What leaves the house: stubs, notebooks, students' and Gradescope's zips, the site, PDFs."""
