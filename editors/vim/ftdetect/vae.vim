autocmd BufRead,BufNewFile *.vae setfiletype vae
