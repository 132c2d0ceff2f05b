@echo off
rem Starts Sfumato; builds it first if that was not done yet.
setlocal
set "HOME_DIR=%~dp0"
set "JAVA=java"
if defined JAVA_HOME set "JAVA=%JAVA_HOME%\bin\java"
set "TOLD=%TEMP%\sfumato-%RANDOM%.txt"
"%JAVA%" -version >nul 2>"%TOLD%" || (del "%TOLD%" 2>nul& echo sfumato: no Java found: install a JDK, 17 or newer, or set JAVA_HOME>&2& exit /b 1)
set "VERSION="
for /f "tokens=3" %%v in ('findstr /c:" version " "%TOLD%"') do if not defined VERSION set "VERSION=%%~v"
del "%TOLD%"
for /f "delims=.-+" %%m in ("%VERSION%") do if %%m lss 17 (echo sfumato: Java %VERSION% is too old: install a JDK, 17 or newer, or set JAVA_HOME>&2& exit /b 1)
if exist "%HOME_DIR%cli\target\lib" goto run
where mvn >nul 2>nul || (echo sfumato: Maven is needed to build Sfumato: install Maven, 3.8 or newer>&2& exit /b 1)
echo sfumato: building, which happens once ...>&2
pushd "%HOME_DIR%"
del cli\target\classes-*.jsa 2>nul
call mvn -q -B -DskipTests package 1>&2 || (popd & echo sfumato: the build failed, see above>&2& exit /b 1)
popd
:run
if not defined OMP_WAIT_POLICY set "OMP_WAIT_POLICY=PASSIVE"
rem Compiling in full costs a short run more than it gains; what draws its scenes in Java, for hours, is compiled in full.
set "COMPILE=-XX:TieredStopAtLevel=1"
for %%c in (train evaluate data) do if "%~1"=="%%c" set "COMPILE="
if not defined SFUMATO_JAVA_OPTS set "SFUMATO_JAVA_OPTS=-Xmx512m %COMPILE%"
set "CLASSES=%HOME_DIR%cli\target\*;%HOME_DIR%cli\target\lib\*"
rem The classes of a start as this build and this Java hold them in memory (AppCDS): made once. An empty file says that they cannot be had.
set "ARCHIVE=%HOME_DIR%cli\target\classes-%VERSION%.jsa"
if exist "%ARCHIVE%" goto start
(type nul >"%ARCHIVE%") 2>nul || goto start
"%JAVA%" -Xmx512m "-XX:ArchiveClassesAtExit=%ARCHIVE%.new" --enable-native-access=ALL-UNNAMED -Djava.awt.headless=true -cp "%CLASSES%" io.sfumato.cli.Main generate "a red apple" --steps 1 --quiet --output "%ARCHIVE%.png" >nul 2>nul && move /y "%ARCHIVE%.new" "%ARCHIVE%" >nul 2>nul
del "%ARCHIVE%.new" "%ARCHIVE%.png" 2>nul
:start
set SHARE=
for %%a in ("%ARCHIVE%") do if exist "%%~a" if %%~za gtr 0 set SHARE="-XX:SharedArchiveFile=%ARCHIVE%" "-Xlog:cds*=off"
"%JAVA%" %SFUMATO_JAVA_OPTS% -Xshare:auto %SHARE% --enable-native-access=ALL-UNNAMED -Djava.awt.headless=true -cp "%CLASSES%" io.sfumato.cli.Main %*
exit /b %ERRORLEVEL%
